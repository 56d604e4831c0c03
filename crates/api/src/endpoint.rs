//! The table of operations: one row says where an operation is, who may, what it takes and answers, and
//! what runs. Requests are led by it, and the OpenAPI document is made from it.

use std::future::Future;
use std::pin::Pin;

use axum::http::Method;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::answer::Answer;
use crate::call::Call;
use crate::problem::{Kind, Problem};

/// One operation.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// With the names of its parameters in braces.
    pub(crate) path: &'static str,
    /// Its name in programs that are made from the document, in metrics and logs.
    pub(crate) id: &'static str,
    pub(crate) needs: Needs,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    pub(crate) query: &'static [&'static Parameter],
    /// `If-Match` and `If-None-Match` count.
    pub(crate) conditions: Conditions,
    pub(crate) takes: Option<Taken>,
    pub(crate) gives: Vec<Given>,
    /// Beyond those that every operation may come to.
    pub(crate) problems: &'static [Kind],
    pub(crate) run: Run,
}

/// Who may use an operation, at least. What it then shows or changes is decided for each thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    /// Everybody, without a token.
    Nothing,
    /// Any valid token: also one that only covers some hosts.
    Token,
    /// A token that may read all of its account.
    Reader,
    /// A token that may do everything in its account.
    Owner,
    /// A token that may read the whole service.
    ServiceReader,
    /// A token of the operator.
    Operator,
}

impl Needs {
    /// Its name in the document.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Needs::Nothing => "nothing",
            Needs::Token => "token",
            Needs::Reader => "reader",
            Needs::Owner => "owner",
            Needs::ServiceReader => "service-reader",
            Needs::Operator => "operator",
        }
    }
}

/// Which preconditions of RFC 9110 §13.1 an operation knows. One that it does not know is an error:
/// passing it over would do what its sender wanted to be prevented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conditions {
    /// None.
    None,
    /// `If-None-Match` of what is read.
    Read,
    /// Both, of what is written.
    Write,
}

/// A parameter of the query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Its JSON schema.
    pub(crate) schema: fn() -> Value,
}

/// What an operation takes as its body.
pub(crate) struct Taken {
    pub(crate) media_type: &'static str,
    pub(crate) shape: Shape,
    /// Name and value.
    pub(crate) examples: Vec<(&'static str, Value)>,
    pub(crate) octets_max: usize,
}

/// One answer of an operation that went well.
pub(crate) struct Given {
    pub(crate) status: u16,
    pub(crate) about: &'static str,
    pub(crate) media_type: &'static str,
    /// `None`: no body.
    pub(crate) shape: Option<Shape>,
    pub(crate) example: Option<Value>,
    /// It carries an `ETag`.
    pub(crate) tagged: bool,
}

/// The form of a body.
pub(crate) enum Shape {
    /// A JSON value of a type of ours.
    Of(Named),
    /// One page of values of a type of ours.
    PageOf(Named),
    /// Text.
    Text,
    /// Any JSON object.
    Object,
}

/// A type of ours, for the document.
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Named {
    pub(crate) fn of<T: ToSchema>() -> Named {
        let collect = |schemas: &mut Vec<(String, RefOr<Schema>)>| {
            schemas.push((T::name().into_owned(), T::schema()));
            T::schemas(schemas);
        };
        Named { name: T::name().into_owned(), collect }
    }
}

type Run = Box<dyn Fn(Call) -> Running + Send + Sync>;
/// An operation under way.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

impl Endpoint {
    /// An operation that takes no body.
    pub(crate) fn new<F, R>(
        (method, path): (Method, &'static str),
        id: &'static str,
        needs: Needs,
        run: F,
    ) -> Endpoint
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        Endpoint {
            method,
            path,
            id,
            needs,
            summary: "",
            description: "",
            query: &[],
            conditions: Conditions::None,
            takes: None,
            gives: Vec::new(),
            problems: &[],
            run: Box::new(move |call| Box::pin(run(call))),
        }
    }

    /// What it is for: in a few words, and in some sentences.
    pub(crate) fn says(self, summary: &'static str, description: &'static str) -> Endpoint {
        Endpoint { summary, description, ..self }
    }

    /// Parameters of the query.
    pub(crate) fn query(self, query: &'static [&'static Parameter]) -> Endpoint {
        Endpoint { query, ..self }
    }

    /// Preconditions.
    pub(crate) fn conditions(self, conditions: Conditions) -> Endpoint {
        Endpoint { conditions, ..self }
    }

    /// A body of JSON, with examples.
    pub(crate) fn takes<T: ToSchema>(self, examples: Vec<(&'static str, Value)>) -> Endpoint {
        let shape = Shape::Of(Named::of::<T>());
        let takes = Taken { media_type: JSON, shape, examples, octets_max: BODY_OCTETS_MAX };
        Endpoint { takes: Some(takes), ..self }
    }

    /// A body of another kind.
    pub(crate) fn takes_text(
        self,
        media_type: &'static str,
        example: Value,
        octets_max: usize,
    ) -> Endpoint {
        let examples = vec![("usual", example)];
        let takes = Taken { media_type, shape: Shape::Text, examples, octets_max };
        Endpoint { takes: Some(takes), ..self }
    }

    /// An answer with a body of JSON.
    pub(crate) fn gives<T: ToSchema>(
        self,
        status: u16,
        about: &'static str,
        example: Value,
    ) -> Self {
        self.given(status, about, Shape::Of(Named::of::<T>()), Some(example))
    }

    /// An answer with one page of a list.
    pub(crate) fn gives_page<T: ToSchema>(self, about: &'static str, example: Value) -> Endpoint {
        let example = serde_json::json!({ "items": [example], "next": null });
        self.given(200, about, Shape::PageOf(Named::of::<T>()), Some(example))
    }

    /// An answer without a body.
    pub(crate) fn gives_nothing(mut self, status: u16, about: &'static str) -> Endpoint {
        self.gives.push(Given {
            status,
            about,
            media_type: JSON,
            shape: None,
            example: None,
            tagged: false,
        });
        self
    }

    /// An answer of text or of any JSON.
    pub(crate) fn gives_other(
        mut self,
        about: &'static str,
        media_type: &'static str,
        (shape, example): (Shape, Option<Value>),
    ) -> Endpoint {
        let shape = Some(shape);
        self.gives.push(Given { status: 200, about, media_type, shape, example, tagged: false });
        self
    }

    /// The last answer carries an `ETag`.
    pub(crate) fn tagged(mut self) -> Endpoint {
        if let Some(last) = self.gives.last_mut() {
            last.tagged = true;
        }
        self
    }

    /// What else may go wrong.
    pub(crate) fn fails(self, problems: &'static [Kind]) -> Endpoint {
        Endpoint { problems, ..self }
    }

    fn given(
        mut self,
        status: u16,
        about: &'static str,
        shape: Shape,
        example: Option<Value>,
    ) -> Endpoint {
        let shape = Some(shape);
        self.gives.push(Given { status, about, media_type: JSON, shape, example, tagged: false });
        self
    }

    /// Whether it changes nothing (RFC 9110 §9.2.1).
    pub(crate) fn is_safe(&self) -> bool {
        self.method.is_safe()
    }
}

/// The media type of JSON.
pub(crate) const JSON: &str = "application/json";
/// Longest body of JSON, in octets.
pub(crate) const BODY_OCTETS_MAX: usize = 256 * 1024;

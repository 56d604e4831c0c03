//! What went wrong, for programs and for people (RFC 9457).

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// This occurrence, in words.
    pub(crate) detail: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// The field of the body that is meant, as a JSON pointer (RFC 6901).
    pub(crate) pointer: Option<String>,
    /// When to ask again, in seconds.
    pub(crate) retry_after_s: Option<u64>,
    /// The methods that the path knows, for 405.
    pub(crate) allow: Option<String>,
}

/// A problem as it is sent, with the media type `application/problem+json`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Told {
    /// What kind of problem it is. Programs tell problems apart by this; it never changes.
    #[serde(rename = "type")]
    #[schema(example = "/v1/problems/not-found", format = "uri-reference")]
    pub(crate) kind: String,
    /// The kind, in words.
    #[schema(example = "there is no such thing, or it is not yours")]
    pub(crate) title: String,
    /// The status, as in the status line.
    #[schema(example = 404, minimum = 400, maximum = 599)]
    pub(crate) status: u16,
    /// What is wrong with this very request.
    #[schema(example = "no zone `example.org`")]
    pub(crate) detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "`GET /v1/zones` lists the zones that this token sees")]
    pub(crate) hint: Option<String>,
    /// The field of the body that is meant (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/ttl_s")]
    pub(crate) pointer: Option<String>,
}

/// Kinds of problems: one row each.
macro_rules! kinds {
    ($(($kind:ident, $slug:literal, $status:ident, $title:literal)),+ $(,)?) => {
        /// What kind of problem it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Kind {
            $(#[doc = $title] $kind,)+
        }

        impl Kind {
            /// All of them.
            pub(crate) const ALL: &'static [Kind] = &[$(Kind::$kind),+];

            /// The last part of its type.
            pub(crate) fn slug(self) -> &'static str {
                match self { $(Kind::$kind => $slug,)+ }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self { $(Kind::$kind => StatusCode::$status,)+ }
            }

            pub(crate) fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title,)+ }
            }
        }
    };
}

kinds![
    (BadRequest, "bad-request", BAD_REQUEST, "the request is not understood"),
    (MalformedBody, "malformed-body", BAD_REQUEST, "the body is not JSON"),
    (Unauthenticated, "unauthenticated", UNAUTHORIZED, "no valid token came with the request"),
    (Forbidden, "forbidden", FORBIDDEN, "the token may not do this"),
    (Refused, "refused", FORBIDDEN, "a rule forbids it"),
    (NotFound, "not-found", NOT_FOUND, "there is no such thing, or it is not yours"),
    (
        MethodNotAllowed,
        "method-not-allowed",
        METHOD_NOT_ALLOWED,
        "this method is not for this path"
    ),
    (Exists, "exists", CONFLICT, "it exists already"),
    (InProgress, "in-progress", CONFLICT, "the same request is under way"),
    (LimitReached, "limit-reached", CONFLICT, "a limit is reached"),
    (Gone, "gone", GONE, "it is not kept any more"),
    (
        PreconditionFailed,
        "precondition-failed",
        PRECONDITION_FAILED,
        "it is not as the request says"
    ),
    (TooLarge, "too-large", PAYLOAD_TOO_LARGE, "the request is too large"),
    (
        MediaType,
        "unsupported-media-type",
        UNSUPPORTED_MEDIA_TYPE,
        "the body has another media type"
    ),
    (Invalid, "invalid", UNPROCESSABLE_ENTITY, "the request makes no sense"),
    (
        KeyReused,
        "idempotency-key-reused",
        UNPROCESSABLE_ENTITY,
        "the key was used for another request"
    ),
    (TooMany, "too-many-requests", TOO_MANY_REQUESTS, "too many requests"),
    (Internal, "internal", INTERNAL_SERVER_ERROR, "the service failed"),
    (Unavailable, "unavailable", SERVICE_UNAVAILABLE, "it cannot be done now"),
    (Late, "request-timeout", REQUEST_TIMEOUT, "the request was not complete in time"),
    (Unconfirmed, "unconfirmed", GATEWAY_TIMEOUT, "it is not known whether it was done"),
];

impl Kind {
    /// Its `type`: stable, and a page of every service.
    pub(crate) fn uri(self) -> String {
        format!("{PROBLEMS}/{}", self.slug())
    }

    /// The kind with this last part of a type.
    pub(crate) fn of(slug: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.slug() == slug)
    }
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem {
            kind,
            detail: detail.into(),
            hint: None,
            pointer: None,
            retry_after_s: None,
            allow: None,
        }
    }

    /// The request makes no sense.
    pub(crate) fn invalid(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::Invalid, detail)
    }

    /// No such thing, or not for this caller: the same for both.
    pub(crate) fn missing(what: &str, name: impl std::fmt::Display) -> Problem {
        Problem::new(Kind::NotFound, format!("no {what} `{name}`"))
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Problem {
        Problem { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn at(self, pointer: impl Into<String>) -> Problem {
        Problem { pointer: Some(pointer.into()), ..self }
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Problem {
        Problem { retry_after_s: Some(seconds), ..self }
    }

    pub(crate) fn told(&self) -> Told {
        Told {
            kind: self.kind.uri(),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.clone(),
            hint: self.hint.clone(),
            pointer: self.pointer.clone(),
        }
    }
}

/// Where the kinds are described.
pub(crate) const PROBLEMS: &str = "/v1/problems";

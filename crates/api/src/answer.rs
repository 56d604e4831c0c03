//! What is answered: a value or a problem, as a response.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use http_body::Frame;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::endpoint::JSON;
use crate::problem::{Kind, Problem};

/// An answer. Cheap to clone unless it is made while it is sent.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// `None`: there is no body.
    pub(crate) media_type: Option<&'static str>,
    pub(crate) body: Content,
    /// The `ETag`, with its quotes.
    pub(crate) tag: Option<String>,
    pub(crate) fields: Vec<(HeaderName, HeaderValue)>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    Whole(Bytes),
    /// Made while it is sent.
    Chunks(mpsc::Receiver<Result<Bytes, std::io::Error>>),
}

impl Answer {
    /// A value, as JSON.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Result<Answer, Problem> {
        let body = serde_json::to_vec(value).map_err(|why| {
            tracing::error!(%why, "an answer cannot be written as JSON");
            Problem::new(Kind::Internal, "the answer cannot be written")
        })?;
        Ok(Answer::whole(status, JSON, body))
    }

    /// 200 with a value.
    pub(crate) fn ok(value: &impl Serialize) -> Result<Answer, Problem> {
        Answer::json(StatusCode::OK, value)
    }

    /// 201 with what was made, and where it is.
    pub(crate) fn created(value: &impl Serialize, path: &str) -> Result<Answer, Problem> {
        let mut answer = Answer::json(StatusCode::CREATED, value)?;
        answer.fields.extend(field(header::LOCATION, path));
        Ok(answer)
    }

    /// A body that is there as a whole.
    pub(crate) fn whole(
        status: StatusCode,
        media_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Answer {
        let (media_type, body) = (Some(media_type), Content::Whole(body.into()));
        Answer { status, media_type, body, tag: None, fields: Vec::new() }
    }

    /// 204.
    pub(crate) fn nothing() -> Answer {
        Answer::bare(StatusCode::NO_CONTENT)
    }

    /// No body.
    pub(crate) fn bare(status: StatusCode) -> Answer {
        let body = Content::Whole(Bytes::new());
        Answer { status, media_type: None, body, tag: None, fields: Vec::new() }
    }

    /// The same with an `ETag`.
    pub(crate) fn tagged(self, tag: String) -> Answer {
        Answer { tag: Some(tag), ..self }
    }

    /// A problem (RFC 9457).
    pub(crate) fn problem(problem: &Problem) -> Answer {
        let body = serde_json::to_vec(&problem.told()).unwrap_or_default();
        let mut answer = Answer::whole(problem.kind.status(), PROBLEM_JSON, body);
        if problem.kind == Kind::Unauthenticated {
            // RFC 9110 §11.6.1: what would be accepted.
            answer.fields.extend(field(header::WWW_AUTHENTICATE, BEARER));
            answer.fields.extend(field(header::WWW_AUTHENTICATE, BASIC));
        }
        if let Some(seconds) = problem.retry_after_s {
            answer.fields.extend(field(header::RETRY_AFTER, &seconds.to_string()));
        }
        if let Some(allow) = &problem.allow {
            answer.fields.extend(field(header::ALLOW, allow));
        }
        answer
    }

    /// A copy, when it is there as a whole.
    pub(crate) fn copy(&self) -> Option<Answer> {
        let Content::Whole(body) = &self.body else { return None };
        Some(Answer {
            status: self.status,
            media_type: self.media_type,
            body: Content::Whole(body.clone()),
            tag: self.tag.clone(),
            fields: self.fields.clone(),
        })
    }

    /// Octets of its body, as far as they are there.
    pub(crate) fn octets(&self) -> usize {
        match &self.body {
            Content::Whole(body) => body.len(),
            Content::Chunks(_) => 0,
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let body = match self.body {
            Content::Whole(body) => Body::from(body),
            Content::Chunks(chunks) => Body::new(Chunks(chunks)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let fields = response.headers_mut();
        if let Some(media_type) = self.media_type {
            fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        // What a token may see is for its owner only, and is never old.
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(tag) = self.tag.and_then(|tag| HeaderValue::try_from(tag).ok()) {
            fields.insert(header::ETAG, tag);
            // A tag is of no use without a copy: the owner's own program may keep one.
            fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        }
        for (name, value) in self.fields {
            fields.append(name, value);
        }
        response
    }
}

/// A header field; none when its value cannot stand in one.
pub(crate) fn field(name: HeaderName, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name, HeaderValue::from_str(value).ok()?))
}

/// A body that is made while it is sent.
struct Chunks(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}

/// The media type of problems (RFC 9457 §3).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
const BEARER: &str = "Bearer realm=\"byname\"";
const BASIC: &str = "Basic realm=\"byname\", charset=\"UTF-8\"";

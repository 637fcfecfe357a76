//! Bodies of requests, read to a limit, and for so long.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{StatusCode, header};

use super::Api;
use super::problem::Problem;

/// How long a body may take to come, in full: a megabyte by a bad line.
const TIME: Duration = Duration::from_secs(30);
/// What a body that is on its way gets when the daemon stops.
const FAREWELL: Duration = Duration::from_millis(500);

/// Reads a body of at most `server.max_body_kb`.
///
/// # Errors
/// It is larger, is broken off, or takes too long.
pub async fn read_body(request: Request, api: &Api) -> Result<Bytes, Problem> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    let limit = api.access().max_body_bytes;
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let body = request.into_body();
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut stopping = api.stopping();
    let stopped = async move {
        let _ = stopping.wait_for(Option::is_some).await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        bytes = read_in_time(body, limit, TIME) => bytes,
        () = stopped => {
            let detail = "oncalld is stopping, and the body has not come in full";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
        }
    }
}

async fn read_in_time(body: Body, limit: usize, time: Duration) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(time, axum::body::to_bytes(body, limit)).await;
    let read = read.map_err(|_| {
        let detail = format!("the body has not come in full within {} s", time.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
    })?;
    read.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            if error.to_string().contains("length limit exceeded") {
                return too_large(limit);
            }
            cause = error.source();
        }
        let detail = "the body could not be read in full";
        Problem::new(StatusCode::BAD_REQUEST, detail)
    })
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("the body is over {limit} bytes (server.max_body_kb)");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

#[cfg(test)]
mod tests {
    use futures_util::stream::{self, StreamExt as _};

    use super::*;

    #[tokio::test]
    async fn a_body_that_never_ends_is_waited_for_no_longer_than_its_time() {
        let pieces = stream::iter([Ok::<_, std::io::Error>("{\"name\":")]);
        let body = Body::from_stream(pieces.chain(stream::pending()));
        let read = read_in_time(body, 100, Duration::from_millis(20)).await;
        let problem = read.unwrap_err();
        assert_eq!(problem.status, 408, "{}", problem.detail);
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_read_to_the_limit() {
        let endless = stream::repeat(()).map(|()| Ok::<_, std::io::Error>("x"));
        let read = read_in_time(Body::from_stream(endless), 100, TIME).await;
        assert_eq!(read.unwrap_err().status, 413);
    }
}

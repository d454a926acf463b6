//! Reads a body within bounds of size and time; actix itself bounds only the head's time.

use std::time::Duration;

use actix_web::web::Payload;
use bytes::BytesMut;
use futures_util::StreamExt;

/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoBody {
    /// More bytes than allowed.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// The connection or its framing broke.
    Broken,
}

/// The whole body.
pub(super) async fn read(
    mut payload: Payload,
    announced: Option<u64>,
    bytes_max: usize,
    timeout: Duration,
) -> Result<BytesMut, NoBody> {
    if announced.is_some_and(|n| n > bytes_max as u64) {
        return Err(NoBody::TooLarge);
    }
    let whole = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| NoBody::Broken)?;
            if body.len() + chunk.len() > bytes_max {
                return Err(NoBody::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(timeout, whole)
        .await
        .unwrap_or(Err(NoBody::TooSlow))
}

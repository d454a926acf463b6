//! `/metrics`, at an address of its own: what is reachable there is decided by who may connect, and
//! never by what a request or a proxy says of itself.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;

use crate::clock::Clock;
use crate::flow::Flow;
use crate::telemetry::metrics;

/// How often the gauges are read from the ledger.
const FRESH_EVERY: Duration = Duration::from_secs(5);
/// More than a few who ask at once ask for something else.
const CONNECTIONS_MAX: usize = 64;

/// A server that waits to be run; `None` where no address is configured.
pub(super) fn serve(
    listen: Option<SocketAddr>,
    flow: &Arc<Flow>,
) -> anyhow::Result<Option<Server>> {
    let Some(listen) = listen else {
        return Ok(None);
    };
    let cannot = || format!("cannot listen on {listen} (server.metrics_listen)");
    let listener = TcpListener::bind(listen).with_context(cannot)?;
    let flow = web::Data::from(flow.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(flow.clone())
            .route("/metrics", web::get().to(show))
    })
    .workers(1)
    .max_connections(CONNECTIONS_MAX)
    .client_request_timeout(Duration::from_secs(5))
    .client_disconnect_timeout(Duration::from_secs(1))
    .disable_signals();
    tracing::info!(address = %listen, "metrics");
    Ok(Some(server.listen(listener).with_context(cannot)?.run()))
}

async fn show(flow: web::Data<Flow>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, metrics::CONTENT_TYPE))
        .body(flow.metrics.text())
}

/// Reads the gauges again and again; how old they are is one of them.
pub(super) async fn keep_fresh(flow: Arc<Flow>) {
    loop {
        if let Err(fault) = flow.gauge().await {
            tracing::warn!(%fault, "the gauges could not be read");
        }
        Clock::pause(FRESH_EVERY).await;
    }
}

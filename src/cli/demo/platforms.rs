//! The platforms' side of the demo: where a source's leads are fetched, this answers on loopback in
//! the platform's stead, about the same made-up people.

use std::net::TcpListener;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Context;

use crate::config::Config;
use crate::flow::Flow;

/// A place that is taken, before anybody is told of it.
pub(super) struct Platforms {
    listener: TcpListener,
}

impl Platforms {
    /// Takes a free port, and lets every source that fetches do so there.
    pub(super) fn bind(config: &mut Config) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
        let address = listener.local_addr()?;
        let text = std::fs::read_to_string(&config.policy.sources).unwrap_or_default();
        // What is wrong with the file is said when it is read in earnest.
        let sources: toml::Table = text.parse().unwrap_or_default();
        for name in sources.keys() {
            let url = format!("http://{address}/{name}");
            let above = &mut config.policy.sources_above;
            above.insert(format!("{name}.api_url"), url);
        }
        Ok(Self { listener })
    }

    /// Answers until the demo ends.
    pub(super) fn serve(self, flow: std::sync::Arc<Flow>) -> anyhow::Result<()> {
        let flow = web::Data::from(flow);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(flow.clone())
                .default_service(web::get().to(answer))
        });
        let server = server.workers(1).disable_signals().listen(self.listener)?;
        tokio::spawn(server.run());
        Ok(())
    }
}

async fn answer(request: HttpRequest, flow: web::Data<Flow>) -> HttpResponse {
    let target = request.uri().to_string();
    let parts = target
        .strip_prefix('/')
        .and_then(|rest| rest.split_once('/'));
    let content = parts.and_then(|(name, rest)| {
        let policy = flow.policy();
        let source = policy.sources.get(name)?;
        source.adapter.stand_in(&format!("/{rest}"))
    });
    match content {
        Some(content) => HttpResponse::Ok()
            .content_type("application/json")
            .body(content),
        None => HttpResponse::NotFound().finish(),
    }
}

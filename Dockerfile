# syntax=docker/dockerfile:1
# Builds leadgate and puts it into a small image that runs it as nobody special.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY config config
COPY src src
# Cargo wants the files of every target that Cargo.toml names, though only the program is built.
COPY benches benches
COPY tests tests
# The caches stay between builds and out of the image, so the program is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --bin leadgate \
    && install -D target/release/leadgate /out/leadgate

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin leadgate \
    && install -d -o leadgate -g leadgate -m 0700 /data
COPY --from=build /out/leadgate /usr/local/bin/leadgate
# Webhooks are sent to systems whose certificates these authorities signed.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY config /etc/leadgate/config
COPY rules /etc/leadgate/rules
ENV LEADGATE_CONFIG=/etc/leadgate/config/leadgate.toml \
    LEADGATE_STORAGE__DATA_DIR=/data \
    LEADGATE_SERVER__LISTEN=0.0.0.0:8080
USER leadgate
WORKDIR /data
# Ledger, secret key and outbox. Without a volume here, leads go when the container goes.
VOLUME /data
EXPOSE 8080
# Whether it can take leads. An orchestrator asks /readyz and /healthz (is it alive?) itself.
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["leadgate", "health"]
# No init either: leadgate starts no other process and ends by itself on SIGTERM.
ENTRYPOINT ["leadgate"]
CMD ["serve"]

//! Speaks SMTP for one mail, over a connection of its own, so that no stale one is ever used.
//! lettre's own transport is not used: it waits for the answer to QUIT before it tells that a mail
//! was taken, and a server that is silent there would get the same mail again and again. Knows no
//! lead.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context;
use lettre::Message;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::net::TcpStream;

use super::SendResult;
use super::settings::{Security, Smtp};

/// How long the server may take to say goodbye; by then the outcome is known.
const GOODBYE: Duration = Duration::from_millis(500);

/// No connection, or none any more.
const LOST: &str = "connection failed or lost";

/// The server that takes our mail, set up once.
pub(super) struct Server {
    host: String,
    port: u16,
    security: Security,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
}

impl Server {
    /// Nothing is connected yet.
    pub(super) fn new(smtp: &Smtp, timeout: Duration) -> anyhow::Result<Self> {
        let host = smtp.host.trim_start_matches('[').trim_end_matches(']');
        let tls = match smtp.security {
            Security::StartTls | Security::Tls => {
                let tls = TlsParameters::new(host.to_owned());
                Some(tls.with_context(|| format!("`{host}` is no name for TLS"))?)
            }
            Security::None => {
                let ip: Option<IpAddr> = host.parse().ok();
                let here = ip.map_or(host.eq_ignore_ascii_case("localhost"), |ip| {
                    ip.is_loopback()
                });
                anyhow::ensure!(here, "mail without TLS goes to this machine only");
                None
            }
        };
        let login = (!smtp.username.is_empty()).then(|| {
            let password = smtp.password.expose().to_owned();
            Credentials::new(smtp.username.clone(), password)
        });
        Ok(Self {
            host: host.to_owned(),
            port: smtp.port,
            security: smtp.security,
            tls,
            login,
            hello: ClientId::default(),
            timeout,
        })
    }

    /// One attempt, over within the timeout.
    pub(super) async fn send(&self, message: &Message) -> SendResult {
        // lettre's own timeout covers the connecting only.
        match tokio::time::timeout(self.timeout, self.exchange(message)).await {
            Err(_) => SendResult::again("timeout"),
            Ok(Err(unopened)) => unopened,
            Ok(Ok((mut connection, result))) => {
                let _ = tokio::time::timeout(GOODBYE, connection.command(Quit)).await;
                result
            }
        }
    }

    async fn exchange(
        &self,
        message: &Message,
    ) -> Result<(AsyncSmtpConnection, SendResult), SendResult> {
        let mut connection = self.open().await?;
        let result = hand_over(&mut connection, message).await;
        Ok((connection, result))
    }

    /// Greeting, TLS, login. What fails here is about us and the server, not about this mail: a
    /// password that was changed must not be the end of every notice of that hour.
    async fn open(&self) -> Result<AsyncSmtpConnection, SendResult> {
        let to = (self.host.as_str(), self.port);
        let wrapped = self.tls.clone().filter(|_| self.security == Security::Tls);
        let greeted = if wrapped.is_some() {
            let (wait, hello) = (Some(self.timeout), &self.hello);
            AsyncSmtpConnection::connect_tokio1(to, wait, hello, wrapped, None).await
        } else {
            let stream = dial(to).await.map_err(|_| SendResult::again(LOST))?;
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await
        };
        let mut connection = greeted.map_err(|error| unopened(&error, "greeting"))?;
        if let (Security::StartTls, Some(tls)) = (self.security, self.tls.clone()) {
            let secured = connection.starttls(tls, &self.hello).await;
            secured.map_err(|error| unopened(&error, "STARTTLS"))?;
        }
        if let Some(login) = &self.login {
            let known = connection.auth(DEFAULT_MECHANISMS, login).await;
            known.map_err(|error| unopened(&error, "login"))?;
        }
        Ok(connection)
    }
}

/// A connection that sends at once: lettre writes the end of a mail on its own, and the kernel would
/// hold it back until the server has said that it has the rest, which takes it 40 ms. lettre dials
/// itself only where TLS begins with the connection.
async fn dial(to: (&str, u16)) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn hand_over(connection: &mut AsyncSmtpConnection, message: &Message) -> SendResult {
    let bytes = message.formatted();
    let mut parameters = Vec::new();
    // Everything but an address is encoded, so only an address can be left.
    if !bytes.is_ascii() {
        if !connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            return SendResult::never("the server takes no address that is not ASCII");
        }
        parameters.push(MailParameter::SmtpUtfEight);
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    match say(connection, message, parameters, &bytes).await {
        Ok(()) => SendResult::Delivered,
        Err(error) => refused(&error),
    }
}

async fn say(
    connection: &mut AsyncSmtpConnection,
    message: &Message,
    parameters: Vec<MailParameter>,
    bytes: &[u8],
) -> Result<(), lettre::transport::smtp::Error> {
    let envelope = message.envelope();
    let mail = Mail::new(envelope.from().cloned(), parameters);
    connection.command(mail).await?;
    for to in envelope.to() {
        connection
            .command(Rcpt::new(to.clone(), Vec::new()))
            .await?;
    }
    connection.command(Data).await?;
    connection.message(bytes).await?;
    Ok(())
}

/// Only a code and a word: the server's text may repeat the address.
fn refused(error: &lettre::transport::smtp::Error) -> SendResult {
    match error.status() {
        Some(code) if error.is_permanent() => SendResult::never(code.to_string()),
        Some(code) => SendResult::again(code.to_string()),
        None => SendResult::again(trouble(error)),
    }
}

fn unopened(error: &lettre::transport::smtp::Error, at: &str) -> SendResult {
    match error.status() {
        Some(code) if error.is_permanent() => SendResult::again(format!("{code} at {at}")),
        Some(code) => SendResult::again(code.to_string()),
        None if error.is_client() => SendResult::again(format!("the server offers no {at}")),
        None => SendResult::again(trouble(error)),
    }
}

fn trouble(error: &lettre::transport::smtp::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_tls() {
        "TLS failed"
    } else if error.is_response() {
        "no whole answer came"
    } else {
        LOST
    }
}

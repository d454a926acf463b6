//! What every HTTP room shares: health, and headers that keep pages from being framed, cached or
//! told on. Knows no stage.

use actix_web::HttpResponseBuilder;
use actix_web::http::header;

/// Headers of a page with personal data: no scripts, no frames, no caches, no trace of its address.
pub fn private_page(response: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                  frame-ancestors 'none'; base-uri 'none'";
    response
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("X-Robots-Tag", "noindex, nofollow"))
}

//! Logins.
use crate::failure::Failure;
use crate::source::Source;
pub(crate) struct Login;
pub(crate) struct AccessToken;
pub(crate) struct TokenError;
impl TokenError {
    pub(crate) fn into_failure(self, _s: &Source) -> Failure {
        Failure::new(crate::failure::Kind::Login, "x")
    }
}
impl AccessToken {
    pub(crate) fn expose(&self) -> &str {
        ""
    }
}
impl Login {
    pub(crate) fn open(_c: &crate::config::Config, _s: &'static Source, _a: &str) -> Result<Option<Login>, Failure> {
        Ok(None)
    }
    pub(crate) fn granted(&self) -> Vec<String> {
        vec![]
    }
    pub(crate) async fn access_token(&self) -> Result<AccessToken, TokenError> {
        Err(TokenError)
    }
    pub(crate) async fn renew(&self, _t: &AccessToken) -> Result<AccessToken, TokenError> {
        Err(TokenError)
    }
}
pub(crate) fn accounts(_c: &crate::config::Config, _s: &Source) -> Result<Vec<String>, Failure> {
    Ok(vec![])
}

//! The `Authorization` header for a sensor with a password: Basic for Gen1 (RFC 7617), Digest with
//! SHA-256 for Gen2 and later (RFC 7616). It sends nothing, and keeps neither name nor password.

use sha2::{Digest, Sha256};

/// The user of every Gen2 device; on a Gen1 device the owner chooses one.
pub const GEN2_USER: &str = "admin";
/// Characters of a header value that fit.
pub const MAX_HEADER_BYTES: usize = 512;
/// Characters of a realm, nonce or opaque that are taken.
pub const MAX_PARAMETER_BYTES: usize = 96;

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticationError {
    /// The header value would be longer than [`MAX_HEADER_BYTES`].
    #[error("the header would be longer than {MAX_HEADER_BYTES} bytes")]
    HeaderTooLong,
    /// A user name for Basic must not hold a colon, and no field a control character or quote.
    #[error("the user name holds a character that has no place in the header")]
    UserName,
    /// The challenge is for another scheme than Digest.
    #[error("the challenge is not for Digest")]
    OtherScheme,
    /// The challenge asks for another algorithm than SHA-256.
    #[error("the challenge asks for another algorithm than SHA-256")]
    OtherAlgorithm,
    /// The challenge does not offer `qop=auth`, without which a reply can be replayed.
    #[error("the challenge does not offer qop=auth")]
    OtherQuality,
    /// The challenge is not well-formed.
    #[error("the challenge is malformed")]
    Malformed,
    /// The challenge lacks its realm or nonce.
    #[error("the challenge lacks its realm or nonce")]
    Incomplete,
    /// A parameter is longer than [`MAX_PARAMETER_BYTES`] or given twice.
    #[error(
        "a parameter of the challenge is longer than {MAX_PARAMETER_BYTES} bytes or given twice"
    )]
    Parameter,
    /// All 2^32 − 1 uses of the nonce are spent.
    #[error("the nonce is used up")]
    NonceUsedUp,
}

/// The value of an `Authorization` header. It holds a secret: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    text: Line<MAX_HEADER_BYTES>,
}

impl Header {
    /// The value, without the header's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }

    /// Basic: user and password in base64, which hides nothing from anyone on the wire.
    ///
    /// # Errors
    /// [`AuthenticationError::UserName`] when `user` holds a colon (RFC 7617, section 2);
    /// [`AuthenticationError::HeaderTooLong`].
    pub fn basic(user: &str, password: &str) -> Result<Self, AuthenticationError> {
        if user.contains(':') || user.chars().any(char::is_control) {
            return Err(AuthenticationError::UserName);
        }
        let mut text = Line::new();
        text.push("Basic ")?;
        let mut triple = [0; 3];
        let mut filled = 0;
        for byte in user.bytes().chain([b':']).chain(password.bytes()) {
            triple[filled] = byte;
            filled += 1;
            if filled == 3 {
                text.push_base64(&triple)?;
                filled = 0;
            }
        }
        if filled > 0 {
            text.push_base64(&triple[..filled])?;
        }
        Ok(Self { text })
    }
}

impl core::fmt::Debug for Header {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Header(…)")
    }
}

/// A device's Digest challenge, good for many requests: the count of uses goes up with each.
///
/// ```text
///   401 with WWW-Authenticate ── parse ──► Challenge ── header() ──► request, again and again
///            ▲                                                          │ 401: the nonce is stale
///            └──────────────────────────────────────────────────────────┘
/// ```
#[derive(Clone, Debug)]
pub struct Challenge {
    realm: Line<MAX_PARAMETER_BYTES>,
    nonce: Line<MAX_PARAMETER_BYTES>,
    opaque: Option<Line<MAX_PARAMETER_BYTES>>,
    uses: u32,
}

impl Challenge {
    /// Reads the value of one `WWW-Authenticate` header.
    ///
    /// # Errors
    /// Any [`AuthenticationError`] but those of a header.
    pub fn parse(value: &str) -> Result<Self, AuthenticationError> {
        let (scheme, parameters) = value
            .trim_start()
            .split_once(' ')
            .ok_or(AuthenticationError::OtherScheme)?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return Err(AuthenticationError::OtherScheme);
        }
        let (mut realm, mut nonce, mut opaque) = (None, None, None);
        let (mut algorithm, mut quality) = (None, None);
        let mut rest = parameters;
        while let Some((parameter, behind)) = next_parameter(rest)? {
            rest = behind;
            let known = [
                ("realm", &mut realm),
                ("nonce", &mut nonce),
                ("opaque", &mut opaque),
                ("algorithm", &mut algorithm),
                ("qop", &mut quality),
            ];
            for (name, place) in known {
                if parameter.name.eq_ignore_ascii_case(name) {
                    let value = parameter.unquoted()?;
                    if place.replace(value).is_some() {
                        return Err(AuthenticationError::Parameter);
                    }
                }
            }
        }
        // Without `algorithm` it is MD5 (RFC 7616, section 3.3).
        if !algorithm.is_some_and(|algorithm| algorithm.as_str().eq_ignore_ascii_case("SHA-256")) {
            return Err(AuthenticationError::OtherAlgorithm);
        }
        let offers_auth = quality.is_some_and(|quality| {
            quality
                .as_str()
                .split(',')
                .any(|offer| offer.trim().eq_ignore_ascii_case("auth"))
        });
        if !offers_auth {
            return Err(AuthenticationError::OtherQuality);
        }
        match (realm, nonce) {
            (Some(realm), Some(nonce)) => Ok(Self {
                realm,
                nonce,
                opaque,
                uses: 0,
            }),
            _ => Err(AuthenticationError::Incomplete),
        }
    }

    /// The header for `GET uri`, with 16 fresh random bytes as the client's nonce.
    ///
    /// # Errors
    /// [`AuthenticationError::UserName`], [`AuthenticationError::HeaderTooLong`],
    /// [`AuthenticationError::NonceUsedUp`].
    pub fn header(
        &mut self,
        user: &str,
        password: &str,
        uri: &str,
        random: [u8; 16],
    ) -> Result<Header, AuthenticationError> {
        let mut client_nonce = Line::<32>::new();
        client_nonce.push_hex(&random)?;
        self.answer(user, password, uri, client_nonce.as_str())
    }

    fn answer(
        &mut self,
        user: &str,
        password: &str,
        uri: &str,
        client_nonce: &str,
    ) -> Result<Header, AuthenticationError> {
        if user
            .chars()
            .any(|character| character.is_control() || "\"\\".contains(character))
        {
            return Err(AuthenticationError::UserName);
        }
        self.uses = self
            .uses
            .checked_add(1)
            .ok_or(AuthenticationError::NonceUsedUp)?;
        let mut count = Line::<8>::new();
        count.push_hex(&self.uses.to_be_bytes())?;
        let (realm, nonce) = (self.realm.as_str(), self.nonce.as_str());
        let secret = hash(&[user, realm, password])?;
        let request = hash(&["GET", uri])?;
        let response = hash(&[
            secret.as_str(),
            nonce,
            count.as_str(),
            client_nonce,
            "auth",
            request.as_str(),
        ])?;
        let mut text = Line::new();
        text.push("Digest username=\"")?;
        text.push(user)?;
        text.push("\", realm=")?;
        text.push_quoted(realm)?;
        text.push(", uri=")?;
        text.push_quoted(uri)?;
        text.push(", algorithm=SHA-256, nonce=")?;
        text.push_quoted(nonce)?;
        text.push(", nc=")?;
        text.push(count.as_str())?;
        text.push(", cnonce=\"")?;
        text.push(client_nonce)?;
        text.push("\", qop=auth, response=\"")?;
        text.push(response.as_str())?;
        text.push("\"")?;
        if let Some(opaque) = &self.opaque {
            text.push(", opaque=")?;
            text.push_quoted(opaque.as_str())?;
        }
        Ok(Header { text })
    }
}

/// One `name=value` of a challenge; the value is as it stands there, without its quotes.
struct Parameter<'a> {
    name: &'a str,
    value: &'a str,
}

impl Parameter<'_> {
    /// The value with its backslashes resolved.
    fn unquoted(&self) -> Result<Line<MAX_PARAMETER_BYTES>, AuthenticationError> {
        let mut line = Line::new();
        let mut escaped = false;
        for character in self.value.chars() {
            if character.is_control() {
                return Err(AuthenticationError::Malformed);
            }
            if character == '\\' && !escaped {
                escaped = true;
                continue;
            }
            escaped = false;
            let mut utf8 = [0; 4];
            line.push(character.encode_utf8(&mut utf8))
                .map_err(|_| AuthenticationError::Parameter)?;
        }
        Ok(line)
    }
}

/// Takes the next `name=token` or `name="text"` off a list; `None` at its end.
fn next_parameter(list: &str) -> Result<Option<(Parameter<'_>, &str)>, AuthenticationError> {
    let list = list.trim_start_matches([' ', '\t', ',']);
    if list.is_empty() {
        return Ok(None);
    }
    let (name, behind) = list.split_once('=').ok_or(AuthenticationError::Malformed)?;
    let (name, behind) = (name.trim_end(), behind.trim_start());
    let Some(text) = behind.strip_prefix('"') else {
        let (value, rest) = behind.split_once(',').unwrap_or((behind, ""));
        return Ok(Some((
            Parameter {
                name,
                value: value.trim_end(),
            },
            rest,
        )));
    };
    let mut escaped = false;
    let end = text.find(|character| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    let (value, rest) = text.split_at(end.ok_or(AuthenticationError::Malformed)?);
    Ok(Some((Parameter { name, value }, &rest[1..])))
}

/// SHA-256 in lower-case hex over `parts` with colons between them.
fn hash(parts: &[&str]) -> Result<Line<64>, AuthenticationError> {
    let mut hasher = Sha256::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(part.as_bytes());
    }
    let mut line = Line::new();
    line.push_hex(&hasher.finalize())?;
    Ok(line)
}

/// Text of at most `N` bytes.
#[derive(Clone, PartialEq, Eq)]
struct Line<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Line<N> {
    const fn new() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
        }
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).expect("only whole `str`s are pushed")
    }

    fn push(&mut self, text: &str) -> Result<(), AuthenticationError> {
        let end = self.length + text.len();
        let place = self
            .bytes
            .get_mut(self.length..end)
            .ok_or(AuthenticationError::HeaderTooLong)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }

    fn push_ascii(&mut self, byte: u8) -> Result<(), AuthenticationError> {
        self.push(char::from(byte).encode_utf8(&mut [0; 4]))
    }

    fn push_hex(&mut self, bytes: &[u8]) -> Result<(), AuthenticationError> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for byte in bytes {
            self.push_ascii(DIGITS[usize::from(byte >> 4)])?;
            self.push_ascii(DIGITS[usize::from(byte & 15)])?;
        }
        Ok(())
    }

    /// One to three bytes as four characters of base64 (RFC 4648, section 4).
    fn push_base64(&mut self, bytes: &[u8]) -> Result<(), AuthenticationError> {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let at = |index: usize| u32::from(bytes.get(index).copied().unwrap_or(0));
        let bits = (at(0) << 16) | (at(1) << 8) | at(2);
        for index in 0..4 {
            if index > bytes.len() {
                self.push("=")?;
            } else {
                self.push_ascii(LETTERS[(bits >> (18 - 6 * index)) as usize & 63])?;
            }
        }
        Ok(())
    }

    fn push_quoted(&mut self, text: &str) -> Result<(), AuthenticationError> {
        self.push("\"")?;
        for part in text.split_inclusive(['"', '\\']) {
            match part.strip_suffix(['"', '\\']) {
                Some(plain) => {
                    self.push(plain)?;
                    self.push("\\")?;
                    self.push(&part[plain.len()..])?;
                }
                None => self.push(part)?,
            }
        }
        self.push("\"")
    }
}

impl<const N: usize> core::fmt::Debug for Line<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;

    /// RFC 7616, section 3.9.1.
    const RFC_CHALLENGE: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
         algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
    const SHELLY_CHALLENGE: &str = "Digest qop=\"auth\", realm=\"shellyproem50-08f9e0e67204\", \
         nonce=\"65cd0b5e\", algorithm=SHA-256";

    fn refused(challenge: &str) -> AuthenticationError {
        Challenge::parse(challenge).expect_err("the challenge must be refused")
    }

    fn parameter<'a>(header: &'a str, name: &str) -> &'a str {
        let start = header.find(&format!(" {name}=")).unwrap() + name.len() + 2;
        header[start..]
            .split(", ")
            .next()
            .unwrap()
            .trim_matches('"')
    }

    #[test]
    fn the_example_of_rfc_7616_comes_out() {
        let mut challenge = Challenge::parse(RFC_CHALLENGE).unwrap();
        let header = challenge
            .answer(
                "Mufasa",
                "Circle of Life",
                "/dir/index.html",
                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            )
            .unwrap();
        assert_eq!(
            header.as_str(),
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", \
             algorithm=SHA-256, nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
             response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
    }

    #[test]
    fn the_examples_of_rfc_7617_come_out() {
        let header = |user, password| Header::basic(user, password).unwrap().as_str().to_string();
        assert_eq!(
            header("Aladdin", "open sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(header("test", "123£"), "Basic dGVzdDoxMjPCow==");
    }

    #[test]
    fn base64_pads_to_whole_groups() {
        let header = |user, password| Header::basic(user, password).unwrap().as_str().to_string();
        assert_eq!(header("", ""), "Basic Og==");
        assert_eq!(header("", "a"), "Basic OmE=");
        assert_eq!(header("", "ab"), "Basic OmFi");
    }

    #[test]
    fn a_user_with_a_colon_has_no_basic_header() {
        assert_eq!(
            Header::basic("a:b", "c"),
            Err(AuthenticationError::UserName)
        );
    }

    #[test]
    fn each_use_of_a_nonce_is_counted_and_answered_anew() {
        let mut challenge = Challenge::parse(SHELLY_CHALLENGE).unwrap();
        let first = challenge
            .header(GEN2_USER, "secret", "/rpc/Sys.GetStatus", [1; 16])
            .unwrap();
        let second = challenge
            .header(GEN2_USER, "secret", "/rpc/Sys.GetStatus", [1; 16])
            .unwrap();
        assert_eq!(parameter(first.as_str(), "nc"), "00000001");
        assert_eq!(parameter(second.as_str(), "nc"), "00000002");
        assert_ne!(
            parameter(first.as_str(), "response"),
            parameter(second.as_str(), "response")
        );
    }

    #[test]
    fn the_client_nonce_is_the_given_randomness() {
        let mut challenge = Challenge::parse(SHELLY_CHALLENGE).unwrap();
        let header = challenge
            .header(GEN2_USER, "secret", "/shelly", [0xa5; 16])
            .unwrap();
        assert_eq!(parameter(header.as_str(), "cnonce"), "a5".repeat(16));
    }

    #[test]
    fn the_query_is_part_of_what_is_authenticated() {
        let response = |uri| {
            let mut challenge = Challenge::parse(SHELLY_CHALLENGE).unwrap();
            let header = challenge.header(GEN2_USER, "secret", uri, [0; 16]).unwrap();
            parameter(header.as_str(), "response").to_string()
        };
        assert_ne!(
            response("/rpc/EM1.GetStatus?id=0"),
            response("/rpc/EM1.GetStatus?id=1")
        );
    }

    #[test]
    fn names_are_read_in_any_case_and_order_with_or_without_quotes() {
        let challenge = "dIGEST NONCE=abc,  Algorithm=\"sha-256\" ,QOP=auth-int, stale=true";
        assert_eq!(refused(challenge), AuthenticationError::OtherQuality);
        let challenge = "dIGEST NONCE=abc,  Algorithm=\"sha-256\" ,QOP=auth ,realm=\"a\\\"b\"";
        let challenge = Challenge::parse(challenge).unwrap();
        assert_eq!(
            (challenge.realm.as_str(), challenge.nonce.as_str()),
            ("a\"b", "abc")
        );
    }

    #[test]
    fn a_quote_in_the_realm_is_quoted_again() {
        let challenge = SHELLY_CHALLENGE.replace("shellyproem50", "a\\\"b\\\\c");
        let mut challenge = Challenge::parse(&challenge).unwrap();
        let header = challenge
            .header(GEN2_USER, "secret", "/shelly", [0; 16])
            .unwrap();
        assert_eq!(
            parameter(header.as_str(), "realm"),
            "a\\\"b\\\\c-08f9e0e67204"
        );
    }

    #[test]
    fn challenges_that_cannot_be_answered_are_refused_by_name() {
        let shelly = |from, to| refused(&SHELLY_CHALLENGE.replace(from, to));
        assert_eq!(
            refused("Basic realm=\"shelly\""),
            AuthenticationError::OtherScheme
        );
        assert_eq!(refused("Digest"), AuthenticationError::OtherScheme);
        assert_eq!(
            shelly("SHA-256", "MD5"),
            AuthenticationError::OtherAlgorithm
        );
        assert_eq!(
            shelly(", algorithm=SHA-256", ""),
            AuthenticationError::OtherAlgorithm
        );
        assert_eq!(
            shelly("SHA-256", "SHA-256-sess"),
            AuthenticationError::OtherAlgorithm
        );
        assert_eq!(
            shelly("qop=\"auth\", ", ""),
            AuthenticationError::OtherQuality
        );
        assert_eq!(
            shelly("nonce=\"65cd0b5e\", ", ""),
            AuthenticationError::Incomplete
        );
        assert_eq!(
            shelly("65cd0b5e", "65cd0b5e\", nonce=\"2"),
            AuthenticationError::Parameter
        );
        assert_eq!(
            shelly("65cd0b5e", &"6".repeat(97)),
            AuthenticationError::Parameter
        );
        assert_eq!(
            refused("Digest realm=\"shelly"),
            AuthenticationError::Malformed
        );
        assert_eq!(refused("Digest realm"), AuthenticationError::Malformed);
    }

    #[test]
    fn a_challenge_cannot_smuggle_a_header_line() {
        let split = SHELLY_CHALLENGE.replace("65cd0b5e", "65\r\nX-Evil: 1");
        assert_eq!(refused(&split), AuthenticationError::Malformed);
    }

    #[test]
    fn a_header_that_does_not_fit_is_refused() {
        let long = "p".repeat(MAX_HEADER_BYTES);
        assert_eq!(
            Header::basic("u", &long),
            Err(AuthenticationError::HeaderTooLong)
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let header = Header::basic("user", "secret").unwrap();
        assert_eq!(format!("{header:?}"), "Header(…)");
    }

    proptest! {
        #[test]
        fn no_challenge_panics(challenge in "(Digest )?[ -~é]{0,120}") {
            let _ = Challenge::parse(&challenge);
        }

        #[test]
        fn nearly_a_challenge_never_panics(
            at in 0_usize..200, with in "[\"\\\\=, é]{0,3}",
        ) {
            let at = at.min(RFC_CHALLENGE.len());
            let challenge = format!("{}{with}{}", &RFC_CHALLENGE[..at], &RFC_CHALLENGE[at..]);
            if let Ok(mut challenge) = Challenge::parse(&challenge) {
                let _ = challenge.header(GEN2_USER, "secret", "/shelly", [0; 16]);
            }
        }
    }
}

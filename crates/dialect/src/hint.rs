//! What was odd about a request, in words for the person who owns the device.

use std::fmt;

/// Makes the enum out of its table: a name and the text for people, which is also its
/// documentation.
macro_rules! hints {
    ($($name:ident: $text:literal,)+) => {
        /// One oddity of a request that was taken all the same, or the reason why it was not.
        ///
        /// Carries no part of the request, so a hint may be logged and shown; `Display` gives one
        /// line for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Hint {
            $(#[doc = $text] $name,)+
        }

        impl Hint {
            /// Every hint, in the order of the table.
            pub const ALL: &[Hint] = &[$(Hint::$name,)+];

            /// The text for people.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Hint::$name => $text,)+
                }
            }
        }
    };
}

hints! {
    // The HTTP request.
    BareLineFeed: "lines end in LF instead of CR LF",
    Spacing: "more than one space between the parts of the request line",
    LowerCase: "the method or the version is not in upper case",
    NoVersion: "no HTTP version in the request line; HTTP/0.9 was assumed",
    PathMissing: "the path is missing; put only the server in the server field and `/nic/update?…` in the path field",
    PathUntidy: "the path is not exactly `/nic/update`; check its slashes",
    FoldedUrls: "two update URLs arrived as one and only the first was used; put both families in one URL: `myip=<ipaddr>&myipv6=<ip6addr>`",
    DoubledUrl: "the URL contains the update path twice; put only the server in the server field",
    SecondQuestionMark: "a second `?` in the URL was read as `&`",
    Unescaped: "characters in the URL are not percent-encoded",
    LonePercent: "a `%` in the URL is not followed by two hexadecimal digits",
    NotUtf8: "text that is not UTF-8 was read as ISO 8859-1",
    HtmlAmpersand: "`&amp;` in the URL was read as `&`",
    UserinfoInTarget: "user name and password are part of the URL",
    SpaceBeforeColon: "white space before the colon of a header field",
    FoldedHeader: "a header field goes over several lines",
    ControlCharacter: "control characters in a header field",
    HostMissing: "HTTP/1.1 without a `Host` header field",
    HostOdd: "the `Host` header field is not a name with an optional port",
    AuthorizationUnreadable: "the `Authorization` header field is neither Basic nor Bearer, or is damaged",
    NoPassword: "the credentials have no colon, so no password",
    PostWithoutLength: "POST without `Content-Length`; its body was not read",
    BodyNotForm: "the body is neither `application/x-www-form-urlencoded` nor `application/json` and was not read",
    // What it asks for.
    SeveralDialects: "the hosts of one request are set to different dialects, so it was read as plain dyndns2; set them to the same one",
    TokenInUrl: "the token is in the URL, where logs and proxies keep it; use the user name and password fields of the device if it has them",
    HostFromUserName: "no host name was sent; the user name was taken as one",
    HostPlaceholder: "the device sent a placeholder instead of a host name; write the name into the URL",
    TooManyHosts: "more than 20 host names in one request",
    AddressPlaceholder: "the device sent a placeholder instead of its address, which counts as no address; check how the device spells the placeholder",
    NotAnAddress: "the address is neither IPv4 nor IPv6; nothing was changed",
    OtherFamily: "an address is of the other family than its parameter; nothing was changed",
    TooManyAddresses: "more than 16 addresses in one request; nothing was changed",
    BracketsStripped: "the brackets around the address were cut off",
    ZoneStripped: "the zone identifier after the address was cut off",
    LinkLocal: "a link-local address with its zone identifier means nothing elsewhere and was not used",
    PrefixLengthStripped: "the prefix length after the address was cut off",
    BarePrefix: "the device sent a prefix instead of an address; nothing was changed; on a FRITZ!Box write `<ip6addr>`",
    MixedParameter: "a parameter for addresses holds addresses beside a word, a prefix or nothing; nothing was changed",
    NotTheUser: "the host name is not the user name, which must be the same here",
    MappedAddress: "an IPv4 address written as IPv6 was taken as IPv4",
    NotAPrefix: "the prefix is not an IPv6 prefix with its length; nothing was changed; on a FRITZ!Box write `<ip6lanprefix>` and nothing else",
    PrefixIgnored: "a prefix for other hosts was sent, which is not used",
    PrefixAlone: "only a prefix for other hosts was sent, which is not used; nothing was changed; send the address as well, on a FRITZ!Box `<ip6addr>`",
    Ipv6To4: "a 6to4 prefix was asked for, which nobody uses any more (RFC 7526); nothing was changed; send the real prefix",
    TextUnusable: "the TXT value is missing, empty, too long or not what this language takes; nothing was changed",
    JsonUnreadable: "the body is not the JSON that this language takes; nothing was changed",
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Adds a hint unless it is there already, so that a list of hints is never longer than the enum.
pub(crate) fn note(hints: &mut Vec<Hint>, hint: Hint) {
    if !hints.contains(&hint) {
        hints.push(hint);
    }
}

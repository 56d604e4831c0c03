//! The table of settings.

use super::Definition;
use super::parse;

/// All settings, in the order of the reference.
pub(crate) const OPTIONS: &[Definition] = &[
    Definition {
        key: "data",
        value: "DIR",
        many: false,
        sample: "\"/var/lib/byname\"",
        default: Some("`/var/lib/byname` for root, else `./byname-data`"),
        doc: "The data directory, made when it is not there. It holds secrets: keep it private.",
        set: |settings, values| {
            settings.data = parse::path(parse::one(values)?)?;
            Ok(())
        },
    },
    Definition {
        key: "dns",
        value: "ADDR",
        many: true,
        sample: "[\"0.0.0.0:53\", \"[::]:53\"]",
        default: Some("port 53 on all addresses where the process may, else `127.0.0.1:5300`"),
        doc: "Addresses to answer DNS queries at, over UDP and TCP. Without a port, 53 is meant; \
              with port 0 the system chooses one.",
        set: |settings, values| {
            settings.dns = Some(parse::addresses(values, parse::DNS_PORT)?);
            Ok(())
        },
    },
    Definition {
        key: "http",
        value: "ADDR|none",
        many: true,
        sample: "[\"0.0.0.0:80\", \"[::]:80\"]",
        default: Some("port 80 on all addresses where the process may, else `127.0.0.1:8053`"),
        doc: "Addresses to take updates at over HTTP, or `none`. Without a port, 80 is meant; with \
              port 0 the system chooses one.",
        set: |settings, values| {
            settings.http = Some(match values {
                [none] if none == "none" => Vec::new(),
                _ => parse::addresses(values, parse::HTTP_PORT)?,
            });
            Ok(())
        },
    },
    Definition {
        key: "https",
        value: "ADDR|none",
        many: true,
        sample: "[\"0.0.0.0:443\", \"[::]:443\"]",
        default: Some(
            "with a certificate port 443 on all addresses where the process may, else \
             `127.0.0.1:8443`; without one `none`",
        ),
        doc: "Addresses to take updates at over HTTPS, or `none`. Without a port, 443 is meant; with \
              port 0 the system chooses one. Needs `certificate` or `acme_names`.",
        set: |settings, values| {
            settings.https = Some(match values {
                [none] if none == "none" => Vec::new(),
                _ => parse::addresses(values, parse::HTTPS_PORT)?,
            });
            Ok(())
        },
    },
    Definition {
        key: "certificate",
        value: "FILE",
        many: true,
        sample: "[\"/etc/byname/fullchain.pem\"]",
        default: Some("none"),
        doc: "Certificates for HTTPS (PEM), each with the chain of its issuers behind it. Clients \
              get the one for the name that they ask for, or the first. Files that change are taken \
              over within seconds, at once on SIGHUP; broken ones are not.",
        set: |settings, values| {
            settings.certificates = parse::paths(values)?;
            Ok(())
        },
    },
    Definition {
        key: "certificate_key",
        value: "FILE",
        many: true,
        sample: "[\"/etc/byname/privkey.pem\"]",
        default: Some("none"),
        doc: "The private keys of the certificates (PEM, without a passphrase), in the same order. \
              They may stand in the same files.",
        set: |settings, values| {
            settings.certificate_keys = parse::paths(values)?;
            Ok(())
        },
    },
    Definition {
        key: "acme_names",
        value: "NAME",
        many: true,
        sample: "[\"update.example.com\", \"*.example.com\"]",
        default: Some("none"),
        doc: "Names for which the service obtains a certificate by itself, and renews it in time \
              (ACME, RFC 8555). They must lie in zones that are served here: they are proven by TXT \
              records in them. Setting this means that you agree to the terms of the authority.",
        set: |settings, values| {
            settings.acme.names = parse::certificate_names(values)?;
            Ok(())
        },
    },
    Definition {
        key: "acme_directory",
        value: "URL",
        many: false,
        sample: "\"https://acme-v02.api.letsencrypt.org/directory\"",
        default: None,
        doc: "The authority that issues it: the address of its ACME directory. For a trial take \
              Let's Encrypt's staging one, `https://acme-staging-v02.api.letsencrypt.org/directory`.",
        set: |settings, values| {
            settings.acme.directory = parse::https_url(parse::one(values)?)?;
            Ok(())
        },
    },
    Definition {
        key: "acme_contact",
        value: "MAIL",
        many: true,
        sample: "[\"hostmaster@example.com\"]",
        default: Some("none"),
        doc: "Mail addresses under which the authority may reach you.",
        set: |settings, values| {
            settings.acme.contact = parse::mail_addresses(values)?;
            Ok(())
        },
    },
    Definition {
        key: "acme_ca_file",
        value: "FILE",
        many: false,
        sample: "\"/etc/byname/acme-ca.pem\"",
        default: Some("the authorities that the system trusts"),
        doc: "Certificates (PEM) by which the authority's own server is known, for a private \
              authority.",
        set: |settings, values| {
            settings.acme.ca_file = Some(parse::path(parse::one(values)?)?);
            Ok(())
        },
    },
    Definition {
        key: "workers",
        value: "N",
        many: false,
        sample: "2",
        default: Some("the number of processors"),
        doc: "Threads that answer DNS queries over UDP, for each address.",
        set: |settings, values| {
            settings.server.workers = parse::count(values, 1..=1024)?;
            Ok(())
        },
    },
    Definition {
        key: "xdp",
        value: "IFACE",
        many: false,
        sample: "\"eth0\"",
        default: Some("none"),
        doc: "Ethernet interface whose DNS queries over UDP are answered past the network stack of \
              the kernel (AF_XDP). Packet filters do not see them, and answers go back to the \
              router that they came from. Needs root, or CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; \
              where it cannot be had, a warning says why and all is answered over sockets.",
        set: |settings, values| {
            settings.xdp = Some(parse::interface(parse::one(values)?)?);
            Ok(())
        },
    },
    Definition {
        key: "update_networks",
        value: "NETWORK",
        many: true,
        sample: "[\"192.0.2.0/24\", \"2001:db8::/32\"]",
        default: Some("all"),
        doc: "Networks from which DNS updates are taken, if they are signed with a key. Others are \
              refused whatever their key.",
        set: |settings, values| {
            settings.updates.networks = Some(parse::networks(values)?);
            Ok(())
        },
    },
    Definition {
        key: "update_listeners",
        value: "ADDRESS",
        many: true,
        sample: "[\"127.0.0.1:53\", \"[::1]:53\"]",
        default: Some("all"),
        doc: "Addresses of `dns` at which DNS updates are taken. At the others queries are answered \
              only.",
        set: |settings, values| {
            settings.updates.listeners = Some(parse::addresses(values, parse::DNS_PORT)?);
            Ok(())
        },
    },
    Definition {
        key: "node",
        value: "NAME",
        many: false,
        sample: "\"ns1\"",
        default: Some("the name of the machine"),
        doc: "Name of this node, for people: it stands in the log beside what this node wrote.",
        set: |settings, values| {
            settings.node = parse::words(parse::one(values)?, 64)?;
            Ok(())
        },
    },
    Definition {
        key: "log_level",
        value: "LEVEL",
        many: false,
        sample: "\"info\"",
        default: None,
        doc: "How much is logged: `error`, `warn`, `info`, `debug` or `trace`, also for one part of \
              the program, as in `info,server=debug`.",
        set: |settings, values| {
            settings.log_level = parse::log_level(values)?;
            Ok(())
        },
    },
    Definition {
        key: "log_format",
        value: "text|json",
        many: false,
        sample: "\"text\"",
        default: None,
        doc: "Form of the log on standard error: `text` for people, `json` for programs.",
        set: |settings, values| {
            settings.log_format = parse::log_format(parse::one(values)?)?;
            Ok(())
        },
    },
    Definition {
        key: "log_retention",
        value: "TIME",
        many: false,
        sample: "\"forever\"",
        default: None,
        doc: "How long the history of changes is kept: a time like `90d`, or `forever`. Older \
              changes are dropped once a snapshot stands in for them; no address or host is lost.",
        set: |settings, values| {
            settings.log_retention = parse::retention(parse::one(values)?)?;
            Ok(())
        },
    },
    Definition {
        key: "origin_retention",
        value: "TIME",
        many: false,
        sample: "\"90d\"",
        default: None,
        doc: "How long the history says from which source address a change came: a time like \
              `90d`, or `forever`. Source addresses are personal data.",
        set: |settings, values| {
            settings.origin_retention = parse::retention(parse::one(values)?)?;
            Ok(())
        },
    },
    Definition {
        key: "tcp_connections",
        value: "N",
        many: false,
        sample: "10000",
        default: None,
        doc: "Most DNS connections over TCP at once.",
        set: |settings, values| {
            settings.server.tcp_connections = parse::count(values, 1..=1_000_000)?;
            Ok(())
        },
    },
    Definition {
        key: "tcp_per_source",
        value: "N",
        many: false,
        sample: "200",
        default: None,
        doc: "Most of them from one source: an IPv4 address, or an IPv6 /64.",
        set: |settings, values| {
            settings.server.tcp_per_source = parse::count(values, 1..=1_000_000)?;
            Ok(())
        },
    },
    Definition {
        key: "tcp_idle",
        value: "TIME",
        many: false,
        sample: "\"10s\"",
        default: None,
        doc: "How long a DNS connection over TCP may be idle (RFC 7766 §6.2.3).",
        set: |settings, values| {
            settings.server.tcp_idle = parse::idle(parse::one(values)?)?;
            Ok(())
        },
    },
    Definition {
        key: "http_connections",
        value: "N",
        many: false,
        sample: "10000",
        default: None,
        doc: "Most HTTP connections at once; never more than a quarter of the files that the process \
              may open.",
        set: |settings, values| {
            settings.gateway.connections = parse::count(values, 1..=1_000_000)?;
            Ok(())
        },
    },
    Definition {
        key: "http_per_source",
        value: "N",
        many: false,
        sample: "200",
        default: None,
        doc: "Most of them from one source: an IPv4 address, or an IPv6 /64. Trusted proxies are exempt.",
        set: |settings, values| {
            settings.gateway.per_source = parse::count(values, 1..=1_000_000)?;
            Ok(())
        },
    },
    Definition {
        key: "changes_per_host",
        value: "N",
        many: false,
        sample: "120",
        default: None,
        doc: "Changes of one host in an hour that are taken over HTTP; who asks for more is told to \
              come back later. 0: any number. Updates that change nothing are not counted.",
        set: |settings, values| {
            settings.gateway.rates.host_per_hour = parse::rate(values)?;
            Ok(())
        },
    },
    Definition {
        key: "changes_per_token",
        value: "N",
        many: false,
        sample: "1200",
        default: None,
        doc: "The same by one token.",
        set: |settings, values| {
            settings.gateway.rates.token_per_hour = parse::rate(values)?;
            Ok(())
        },
    },
    Definition {
        key: "changes_per_account",
        value: "N",
        many: false,
        sample: "6000",
        default: None,
        doc: "The same by all tokens of one account, unless `bynamed account set` says otherwise of it. \
              The operator's own account has no such limit.",
        set: |settings, values| {
            settings.gateway.rates.account_per_hour = parse::rate(values)?;
            Ok(())
        },
    },
    Definition {
        key: "changes_per_source",
        value: "N",
        many: false,
        sample: "0",
        default: None,
        doc: "The same from one source: an IPv4 address, or an IPv6 /64.",
        set: |settings, values| {
            settings.gateway.rates.source_per_hour = parse::rate(values)?;
            Ok(())
        },
    },
    Definition {
        key: "http_idle",
        value: "TIME",
        many: false,
        sample: "\"10s\"",
        default: None,
        doc: "How long an HTTP connection may be idle between two requests.",
        set: |settings, values| {
            settings.gateway.idle = parse::idle(parse::one(values)?)?;
            Ok(())
        },
    },
    Definition {
        key: "trusted_networks",
        value: "NETWORK",
        many: true,
        sample: "[\"192.0.2.0/24\", \"2001:db8::/32\"]",
        default: Some("none"),
        doc: "Networks from which a token sent in clear counts as safe, and which may read `/metrics`. Loopback always is one.",
        set: |settings, values| {
            settings.gateway.trusted_networks = parse::networks(values)?;
            Ok(())
        },
    },
    Definition {
        key: "trusted_proxies",
        value: "NETWORK",
        many: true,
        sample: "[\"192.0.2.80\"]",
        default: Some("none"),
        doc: "Proxies whose word on the source address of a client counts: a PROXY header (version 2), or the last hop in `X-Forwarded-For` that is not a trusted proxy.",
        set: |settings, values| {
            settings.gateway.trusted_proxies = parse::networks(values)?;
            Ok(())
        },
    },
    Definition {
        key: "proxy_protocol",
        value: "true|false",
        many: false,
        sample: "false",
        default: None,
        doc: "Whether connections of trusted proxies must begin with a PROXY header. Otherwise they may.",
        set: |settings, values| {
            settings.gateway.proxy_protocol = parse::yes_or_no(parse::one(values)?)?;
            Ok(())
        },
    },
];

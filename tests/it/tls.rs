//! TLS to a server that the person names: verified against a certificate authority, by name, or refused.

use std::path::Path;
use std::process::Command;

use crate::server::sandbox::Sandbox;

/// Makes an authority, and a certificate of it for `name`; false where there is no `openssl` to do it with.
fn certificates(dir: &Path, name: &str) -> bool {
    let run = |arguments: &str| {
        let words: Vec<&str> = arguments.split(' ').collect();
        Command::new("openssl").args(&words).current_dir(dir).output().is_ok_and(|out| out.status.success())
    };
    std::fs::write(dir.join("san.txt"), format!("subjectAltName=DNS:{name}\n")).unwrap();
    run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=test-authority")
        && run(&format!("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN={name}"))
        && run(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 30 -extfile san.txt",
        )
}

/// Puts the certificate beside the data and switches TLS on; false where this server was built without it.
fn switch_on(sandbox: &Sandbox, dir: &Path) -> bool {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let data = sandbox.data_dir();
    let owner = std::fs::metadata(&data).unwrap();
    for name in ["server.crt", "server.key"] {
        let to = data.join(name);
        std::fs::copy(dir.join(name), &to).unwrap();
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
        chown(&to, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let mut client = sandbox.client();
    if client.batch_execute("alter system set ssl = on").is_err() {
        return false;
    }
    client.batch_execute("select pg_reload_conf()").unwrap();
    // The reload reaches new sessions as soon as the postmaster has read it.
    for _ in 0..100 {
        let row = sandbox.client().query_one("show ssl", &[]).unwrap();
        if row.get::<_, String>(0) == "on" {
            return true;
        }
    }
    false
}

#[test]
fn a_server_is_verified_or_refused() {
    let sandbox = Sandbox::new();
    sandbox.ok(&["db", "start"]);
    let (good, other) = (sandbox.base().join("good"), sandbox.base().join("other"));
    std::fs::create_dir(&good).unwrap();
    std::fs::create_dir(&other).unwrap();
    if !certificates(&good, "localhost") || !certificates(&other, "elsewhere.example") {
        println!("not run: there is no openssl to make certificates with");
        return;
    }
    if !switch_on(&sandbox, &good) {
        println!("not run: this PostgreSQL was built without TLS");
        return;
    }
    let plain = sandbox.ok(&["db", "url", "--tcp", "--show-password"]).trim().replace("127.0.0.1", "localhost");
    let with = |parameters: &str| format!("{plain}{}{parameters}", if plain.contains('?') { '&' } else { '?' });
    let root = |dir: &Path| format!("sslmode=verify-full&sslrootcert={}", dir.join("ca.pem").display());
    let migrate = |url: String| sandbox.command(&["migrate"]).env("HEALTH_DATABASE_URL", url).output().unwrap();
    let text = |out: &std::process::Output| String::from_utf8_lossy(&out.stderr).into_owned();

    let done = migrate(with(&root(&good)));
    assert_eq!(done.status.code(), Some(0), "{}", text(&done));
    // An authority that did not sign it, and none at all.
    for parameters in [root(&other), "sslmode=require".to_owned()] {
        let refused = migrate(with(&parameters));
        assert_eq!(refused.status.code(), Some(8), "{parameters}: {}", text(&refused));
        assert!(text(&refused).contains("certificate"), "{}", text(&refused));
    }
    // The right authority, another name.
    if switch_on(&sandbox, &other) {
        let refused = migrate(with(&root(&other)));
        assert_eq!(refused.status.code(), Some(8), "{}", text(&refused));
    }
    // No password in any of it.
    let password = std::fs::read_to_string(sandbox.home().join("pg/password")).unwrap();
    assert!(!text(&done).contains(password.trim()));
}

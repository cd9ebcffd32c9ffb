//! PostgreSQL refuses root and refuses an account without a name. The program must work for both, and for everybody else.
//!
//! Changing the account takes root; run by an ordinary user, the whole suite is the ordinary user's test.

use super::sandbox::{Sandbox, is_root};

const NOBODY: u32 = 65534;
/// No account of any machine.
const NAMELESS: u32 = 54_321_012;

fn serves(sandbox: &Sandbox) {
    let answer = sandbox.ok(&["db", "start"]);
    assert!(answer.contains("is running"), "{answer}");
    assert_eq!(sandbox.status()["databases"][0]["name"], "health");
    sandbox.ok(&["db", "stop"]);
}

#[test]
fn an_ordinary_user_owns_the_server() {
    if !is_root() {
        return serves(&Sandbox::new());
    }
    let id = NOBODY.to_string();
    let sandbox = Sandbox::with_prefix(&["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"]).given_to(NOBODY);
    serves(&sandbox);
    assert_eq!(sandbox.status()["owner"], "nobody");
    assert!(sandbox.data_dir().starts_with(sandbox.home()));
}

#[test]
fn root_steps_down_where_the_owner_may_go() {
    if !is_root() {
        return eprintln!("not root: nothing to step down from");
    }
    // The home is made by the test, so that the owner may enter it; otherwise the cluster goes to /var/lib/health.
    let sandbox = Sandbox::new().set("HEALTH_PG_USER", "nobody");
    std::fs::create_dir_all(sandbox.home()).unwrap();
    serves(&sandbox);
    assert_eq!(sandbox.status()["owner"], "nobody");
    assert!(sandbox.data_dir().starts_with(sandbox.home()), "{:?}", sandbox.data_dir());
    let unknown = sandbox.set("HEALTH_PG_USER", "no-such-account");
    unknown.ok(&["db", "destroy", "--yes"]);
    let ran = unknown.run(&["db", "start"]);
    assert_eq!(ran.code(), 13, "{}", ran.both());
}

#[test]
fn an_account_without_a_name_gets_a_namespace() {
    if !is_root() {
        return eprintln!("not root: another account cannot be tried");
    }
    let id = NAMELESS.to_string();
    let prefix = ["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"];
    if !namespaces_work(&prefix) {
        return eprintln!("user namespaces are switched off here, and such an account cannot run PostgreSQL");
    }
    let sandbox = Sandbox::with_prefix(&prefix).given_to(NAMELESS);
    serves(&sandbox);
    assert_eq!(sandbox.status()["owner"], "nobody (in a user namespace)");
}

#[test]
fn root_that_may_not_step_down_gets_a_namespace() {
    if !is_root() {
        return eprintln!("not root: nothing to step down from");
    }
    let prefix = ["setpriv", "--bounding-set", "-setuid,-setgid", "--inh-caps", "-setuid,-setgid"];
    if !namespaces_work(&prefix) {
        return eprintln!("user namespaces are switched off here, and such a root cannot run PostgreSQL");
    }
    let sandbox = Sandbox::with_prefix(&prefix);
    let ran = sandbox.run(&["db", "start"]);
    assert_eq!(ran.code(), 0, "{}", ran.both());
    assert!(ran.stderr().contains("the server runs in a user namespace instead"), "{}", ran.both());
    serves(&sandbox);
    assert!(sandbox.data_dir().starts_with(sandbox.home()));
}

fn namespaces_work(prefix: &[&str]) -> bool {
    let mut command = std::process::Command::new(prefix[0]);
    command.args(&prefix[1..]).args(["unshare", "--user", "--map-user=65534", "--map-group=65534", "true"]);
    command.status().is_ok_and(|status| status.success())
}

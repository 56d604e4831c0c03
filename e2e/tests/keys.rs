//! Keys as other programs read them.

use e2e::{Finished, admin, new_folder, program, write_secret_file};

#[test]
fn key_files_are_read_by_nsupdate_and_knsupdate() {
    let folder = new_folder();
    let data = folder.path().join("data");
    admin(&data, &["zone", "add", "dyn.example"]);
    for algorithm in ["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"] {
        let key = format!("{algorithm}.dyn.example");
        let add = ["key", "add", &key, "--algorithm", algorithm, "--generate"];
        let policy = ["--zone", "dyn.example", "--allow", "update", "--name", "self"];
        let made = admin(&data, &[&add[..], &policy].concat());
        for tool in ["nsupdate", "knsupdate"] {
            let line = made[tool].as_str().expect("a line for its file");
            let file = folder.path().join(format!("{algorithm}.{tool}"));
            write_secret_file(&file, &format!("{line}\n"));
            let mut command = program(tool);
            Finished::run(command.arg("-k").arg(&file).stdin(std::process::Stdio::null())).ok();
            // It does look at the file.
            write_secret_file(&file, &line.replace("hmac-", "rot-"));
            let mut command = program(tool);
            let told =
                Finished::run(command.arg("-k").arg(&file).stdin(std::process::Stdio::null()));
            assert_ne!(told.code, Some(0), "{told}");
        }
    }
}

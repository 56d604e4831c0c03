use super::*;

#[test]
fn reference_is_in_step_with_the_table() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let written = std::fs::read_to_string(file).unwrap();
    let hint = "run `cargo run -p bynamed -- config --reference > docs/configuration.md`";
    assert_eq!(written, reference(), "{hint}");
}

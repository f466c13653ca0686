//! With the feature `checked` a mistake is found, and named by the lines that made it.

use std::process::Command;

use percpu_tests::fixture::Fixture;
use percpu_tests::tool;

const SOURCE: &str = include_str!("../fixtures/mistakes.rs");

/// The places in the program's source whose line ends in `word`.
fn places(word: &str) -> Vec<String> {
    let lines = (1..).zip(SOURCE.lines()).filter(|(_, line)| line.ends_with(&format!("// {word}")));
    lines.map(|(number, _)| format!("fixtures/mistakes.rs:{number}:")).collect()
}

#[test]
fn a_program_with_the_feature_names_its_mistakes() {
    if tool::skip_sanitized("a build by cargo") {
        return;
    }
    let program = Fixture::new(env!("CARGO_TARGET_TMPDIR"), "checked", "mistakes").build().file;
    let answer = |mistake: &str| {
        let output = Command::new(&program).arg(mistake).output().expect("it runs");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.success(), text)
    };
    let names = |text: &str, word: &str| places(word).iter().any(|place| text.contains(place));

    assert_eq!(answer("none"), (true, "nothing else\n".to_owned()));
    for mistake in ["overrun", "reserved"] {
        let (lives, text) = answer(mistake);
        assert!(lives && text.contains("nothing else"), "{text}");
        for how in ["looked: byte 24", "freed: byte 24"] {
            let line = text.lines().find(|line| line.starts_with(how)).unwrap_or_else(|| panic!("{text}"));
            assert!(line.contains("past its end") && names(line, "allocated"), "{text}");
        }
    }
    for (mistake, words) in
        [("double", &["allocated", "first", "again"][..]), ("stale", &["allocated", "owner", "again"])]
    {
        let (lives, text) = answer(mistake);
        assert!(!lives && !text.contains("nothing else") && text.contains("which was freed before"), "{text}");
        assert_eq!(text.contains("its place now has 24 bytes"), mistake == "stale", "{text}");
        assert!(words.iter().all(|word| names(&text, word)), "{text}");
    }
    let (lives, text) = answer("number");
    assert!(lives && text.contains("which is inside an allocation: 24 bytes") && names(&text, "allocated"), "{text}");
    let (lives, text) = answer("leak");
    assert!(
        lives && text.lines().count() == 1 && text.starts_with("leak: 24 bytes") && names(&text, "allocated"),
        "{text}"
    );
}

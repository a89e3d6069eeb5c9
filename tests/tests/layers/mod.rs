//! The layers of the crate, derived from what its files import.
//!
//! The order is the table of layers in the crate's documentation, from the top: a module uses modules below it, or of
//! its own row if that makes no cycle. The files of one folder have no import cycle either.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Graph = BTreeMap<String, BTreeSet<String>>;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")
}

/// The code of a file, without its comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The first names of the paths that begin with `prefix`, those in braces too.
fn named(code: &str, prefix: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let (mut depth, mut start) = (0, true);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                _ if depth == 0 && start && !character.is_whitespace() => {
                    names.insert(word(&group[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    names
}

/// The modules of the crate by rows, from the top.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let table = text.lines().skip_while(|line| *line != "//! | module | what it holds |").skip(2);
    let rows = table.map_while(|line| line.strip_prefix("//! | ")?.split(" | ").next());
    let modules = |cell: &str| {
        cell.split('`').skip(1).step_by(2).map(|name| name.trim_start_matches("mod@").to_owned()).collect::<Vec<_>>()
    };
    rows.map(|cell| modules(cell.split('(').next().unwrap_or_default())).collect()
}

/// The modules that each module of the crate uses.
fn modules() -> Graph {
    let lib = code(&source().join("lib.rs"));
    let modules: BTreeSet<_> = lib.lines().filter_map(|line| line.split_once("mod ")?.1.strip_suffix(';')).collect();
    // `crate::EventFd` belongs to the module that it is re-exported from.
    let mut homes = BTreeMap::new();
    for line in lib.lines().filter_map(|line| line.strip_prefix("pub use ")) {
        let module = line.split("::").next().unwrap_or_default();
        for name in line.split(|c: char| !c.is_alphanumeric()).filter(|name| name.starts_with(char::is_uppercase)) {
            homes.insert(name.to_owned(), module.to_owned());
        }
    }
    let mut graph = Graph::new();
    for module in &modules {
        let root = if *module == "arch" { source().join("../arch") } else { source().join(module) };
        let mut parts = Vec::new();
        if root.is_dir() {
            files(&root, &mut parts);
        } else {
            parts.push(root.with_extension("rs"));
        }
        let mut used = BTreeSet::new();
        for part in parts {
            for name in named(&code(&part), "crate::") {
                let home = homes.get(&name).cloned().unwrap_or(name);
                if home != *module && modules.contains(home.as_str()) {
                    used.insert(home);
                }
            }
        }
        graph.insert((*module).to_owned(), used);
    }
    graph
}

/// A path that ends where it began, if there is one.
fn circle(graph: &Graph) -> Option<Vec<String>> {
    fn follow(graph: &Graph, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        let last = path.last().cloned().unwrap_or_default();
        for next in graph.get(&last).into_iter().flatten() {
            if path.contains(next) {
                path.push(next.clone());
                return true;
            }
            if done.contains(next) {
                continue;
            }
            path.push(next.clone());
            if follow(graph, path, done) {
                return true;
            }
            path.pop();
        }
        done.insert(last);
        false
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|start| {
        let mut path = vec![start.clone()];
        follow(graph, &mut path, &mut done).then_some(path)
    })
}

#[test]
fn no_module_uses_one_above_it_and_there_is_no_cycle() {
    let rows = rows();
    let row = |module: &str| rows.iter().position(|row| row.iter().any(|name| name == module));
    let graph = modules();
    assert!(graph.len() > 10, "{graph:?}");
    for (module, used) in &graph {
        // Modules of documentation only have no layer.
        if module == "migration" {
            continue;
        }
        let own = row(module).unwrap_or_else(|| panic!("{module} is not in the table of layers in src/lib.rs"));
        for other in used {
            let theirs = row(other).unwrap_or_else(|| panic!("{other} is not in the table of layers in src/lib.rs"));
            assert!(own <= theirs, "{module} uses {other}, which is above it");
        }
    }
    for module in rows.iter().flatten() {
        assert!(graph.contains_key(module), "{module} is in the table of layers in src/lib.rs, and nowhere else");
    }
    assert_eq!(circle(&graph), None);
}

/// One call, `waitid`, is in two headers of C: it takes a pidfd, and a pidfd is waited for.
fn is_allowed(file: &str, used: &str) -> bool {
    (file, used) == ("wait", "pidfd")
}

#[test]
fn the_files_of_a_folder_have_no_import_cycle() {
    let mut all = Vec::new();
    files(&source(), &mut all);
    let mut folders: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for file in all {
        folders.entry(file.parent().unwrap().to_owned()).or_default().push(file);
    }
    for (folder, files) in folders.into_iter().filter(|(folder, _)| *folder != source()) {
        let stem = |file: &PathBuf| file.file_stem().unwrap().to_string_lossy().into_owned();
        let siblings: BTreeSet<_> = files.iter().map(stem).collect();
        let mut graph = Graph::new();
        for file in files.iter().filter(|file| stem(file) != "mod") {
            let used = named(&code(file), "super::").into_iter();
            let used = used.filter(|name| siblings.contains(name) && !is_allowed(&stem(file), name));
            graph.insert(stem(file), used.collect());
        }
        assert_eq!(circle(&graph), None, "in {}", folder.display());
    }
}

/// The order of a page of the documentation: examples first, the source last.
#[test]
fn examples_come_before_the_first_heading_and_the_source_is_the_last() {
    let mut all = Vec::new();
    files(&source(), &mut all);
    files(&source().join("../arch"), &mut all);
    let mut wrong = Vec::new();
    for file in all {
        let text = fs::read_to_string(&file).unwrap();
        let (mut headings, mut fenced) = (Vec::new(), false);
        for (line, text) in (1..).zip(text.lines().map(str::trim_start)) {
            let Some(doc) = text.strip_prefix("///").map(str::trim_start) else {
                (headings, fenced) = (Vec::new(), false);
                continue;
            };
            let place = || format!("{}:{line}", file.strip_prefix(source()).unwrap_or(&file).display());
            if doc.starts_with("```") {
                fenced = !fenced;
                if fenced && !headings.is_empty() {
                    wrong.push(format!("{}: an example after {:?}", place(), headings[0]));
                }
            } else if !fenced && doc.starts_with("# ") {
                if headings.last() == Some(&"# Source") {
                    wrong.push(format!("{}: {doc:?} after the source", place()));
                }
                headings.push(doc);
            } else if doc.starts_with("Source: ") || doc.starts_with("Sources: ") {
                wrong.push(format!("{}: the source has no heading", place()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files with the pages of the public modules below this file, which is a folder's.
fn pages(file: &Path, found: &mut Vec<PathBuf>) {
    let (folder, text) = (file.parent().unwrap(), fs::read_to_string(file).unwrap());
    let mut above = "";
    for line in text.lines() {
        let name = line.strip_prefix("pub mod ").and_then(|rest| rest.split([';', ' ']).next());
        if let (Some(name), false) = (name, above == "#[doc(hidden)]") {
            let places =
                [format!("{name}.rs"), format!("{name}/mod.rs"), format!("{name}.md"), format!("../{name}/mod.rs")];
            let page = places.iter().map(|place| folder.join(place)).find(|place| place.exists());
            let page = page.unwrap_or_else(|| panic!("no page of {name} in {}", folder.display()));
            found.push(page.clone());
            if page.ends_with("mod.rs") {
                pages(&page, found);
            }
        }
        above = line;
    }
}

#[test]
fn each_public_module_has_an_example_before_its_first_heading() {
    let mut found = Vec::new();
    pages(&source().join("lib.rs"), &mut found);
    let names: Vec<_> = found.iter().map(|page| page.to_str().unwrap()).collect();
    for known in ["arch/mod.rs", "nr/used_by.rs", "sys/eventfd/mod.rs", "src/given.md"] {
        assert!(names.iter().any(|name| name.ends_with(known)), "{known} is not among {names:?}");
    }
    let without = found.iter().filter(|page| {
        let text = fs::read_to_string(page).unwrap();
        let is_code = page.extension().is_some_and(|extension| extension == "rs");
        let doc = text.lines().map_while(|line| if is_code { line.strip_prefix("//!") } else { Some(line) });
        let doc: Vec<_> = doc.map(str::trim_start).take_while(|line| !line.starts_with("# ")).collect();
        !doc.iter().any(|line| line.starts_with("```"))
    });
    let without: Vec<_> = without.collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn paths_are_found_alone_and_in_braces_but_not_in_comments() {
    let code = "use crate::sysif::{Arg, Error};\nuse crate::{\n Errno,\n task::{Task, Current},\n};\nmy_crate::no;\
                crate::nr::READ";
    let names: Vec<_> = named(code, "crate::").into_iter().collect();
    assert_eq!(names, ["Errno", "nr", "sysif", "task"]);
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        graph
    };
    assert_eq!(circle(&graph(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    assert!(circle(&graph(&[("a", "b"), ("b", "c"), ("c", "b")])).is_some());
}

//! `leadgate completions` and `leadgate man`: made from the command line itself, so that they cannot
//! say anything else.

use std::io::Write;

use clap::{Args as ClapArgs, Command, ValueEnum};
use clap_complete::Shell as Known;

use super::Failed;

#[derive(ClapArgs)]
pub(super) struct Completions {
    /// Whose completions.
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

#[derive(ClapArgs)]
pub(super) struct Man {
    /// A command, like `leads list`; without one the page of leadgate itself.
    command: Vec<String>,
}

pub(super) fn completions(args: &Completions, mut command: Command) -> Result<(), Failed> {
    let shell = match args.shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "leadgate", &mut text);
    std::io::stdout().lock().write_all(&text)?;
    Ok(())
}

pub(super) fn man(args: &Man, mut command: Command) -> Result<(), Failed> {
    // Gives every command the options that hold for all, and its full name.
    command.build();
    let mut shown = &command;
    for word in &args.command {
        shown = shown.find_subcommand(word).ok_or_else(|| {
            let name = args.command.join(" ");
            Failed::Refused(format!("there is no command `leadgate {name}`"))
        })?;
    }
    let mut text = Vec::new();
    let source = format!("leadgate {}", env!("CARGO_PKG_VERSION"));
    let page = clap_mangen::Man::new(shown.clone()).source(source);
    page.render(&mut text)?;
    std::io::stdout().lock().write_all(&text)?;
    Ok(())
}

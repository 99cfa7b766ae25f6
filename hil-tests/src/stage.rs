//! The boards of a scenario, each with its session; `# on: second` changes whom the person types at.
//!
//! The transcript of several boards is what each showed in turn, with the role above it: `[second]`.

use crate::event::Attempt;
use crate::run::Actor;
use crate::scenario::{FIRST, Scenario, Step};
use crate::secrets::Secrets;
use crate::session::{Failure, Session};

/// Sessions with one or several boards.
pub struct Stage<'a> {
    roles: Vec<String>,
    sessions: Vec<Session<'a>>,
    current: usize,
    /// What was shown by boards that are not typed at now.
    shown: String,
}

impl<'a> Stage<'a> {
    /// Boards that are about to be reset; the first one is typed at first.
    pub fn new(actors: &'a mut [Actor]) -> Self {
        let roles = actors.iter().map(|(role, _)| role.clone()).collect();
        let sessions = actors.iter_mut().map(|(_, console)| Session::new(console)).collect();
        Self { roles, sessions, current: 0, shown: String::new() }
    }

    /// Resets every board and waits for its prompt.
    ///
    /// # Errors
    /// A board that does not come to its prompt.
    pub fn boot(&mut self) -> Result<(), Failure> {
        for index in 0..self.sessions.len() {
            self.current = index;
            self.sessions[index].boot()?;
        }
        self.current = 0;
        Ok(())
    }

    /// Does every step.
    ///
    /// # Errors
    /// The first step after which a board does not come back to a prompt.
    pub fn run(&mut self, scenario: &Scenario) -> Result<(), Failure> {
        for (index, step) in scenario.steps.iter().enumerate() {
            match step {
                Step::On(role) => self.switch(role)?,
                _ => self.sessions[self.current].perform(scenario, index)?,
            }
        }
        self.sessions[self.current].prove_prompt()
    }

    fn switch(&mut self, role: &str) -> Result<(), Failure> {
        let role = if role == FIRST { &self.roles[0] } else { role };
        let Some(next) = self.roles.iter().position(|known| known == role) else {
            let source = std::io::Error::other("no such board takes part");
            return Err(Failure::Outside { what: format!("on {role}"), source });
        };
        if next != self.current {
            let said = self.sessions[self.current].cut()?;
            self.shown.push_str(without_prompt(&said));
            self.shown.push_str(&format!("\n[{}]\n", self.roles[next]));
            self.current = next;
        }
        Ok(())
    }

    /// What a person has seen so far.
    #[must_use]
    pub fn transcript(&self) -> String {
        let last = self.sessions[self.current].transcript();
        format!("{}{last}", self.shown).trim_start_matches('\n').to_owned()
    }

    /// Puts what came from the boards into the attempt.
    pub fn fill(&mut self, attempt: &mut Attempt, secrets: &Secrets) {
        attempt.boot_log = secrets.hide(self.sessions[0].boot_log());
        let now = self.sessions[0].time();
        let several = self.sessions.len() > 1;
        for (role, session) in self.roles.iter().zip(&self.sessions) {
            let record = session.record();
            let base = attempt.serial.len() as u64;
            let board_ms = now.saturating_sub(record.begun()).as_millis();
            attempt.board_ms = attempt.board_ms.max(u64::try_from(board_ms).unwrap_or(u64::MAX));
            attempt.serial.extend_from_slice(&record.serial);
            attempt.serial_dropped += record.dropped;
            attempt.marks.extend(record.marks.iter().map(|mark| {
                let mut mark = mark.clone();
                mark.offset += base;
                mark.step = secrets.hide(&mark.step);
                if several {
                    mark.step = format!("[{role}] {}", mark.step);
                }
                mark
            }));
        }
        secrets.blot_out(&mut attempt.serial);
    }
}

/// What was shown, without the prompt that waits for the next line.
fn without_prompt(shown: &str) -> &str {
    shown.strip_suffix(">>>").unwrap_or(shown).trim_end()
}

//! Generated histories, for tests and benches.

use linearizability::{KvInput, KvModel, KvOutput, Model, Operation};

/// Random numbers that depend on the seed alone, on every platform and in every version
/// (SplitMix64; Steele, Lea & Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^= word >> 31;
        ((u128::from(word) * u128::from(bound)) >> 64) as u64
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `items`.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

/// Small histories of any model, some linearizable and some not: full of ties, pending operations
/// and equal values.
#[derive(Clone, Debug)]
pub struct SmallHistories<'a, M: Model> {
    /// The specification.
    pub model: &'a M,
    /// What may be called; all in one part of the object.
    pub inputs: &'a [M::Input],
    /// The right answer in a state.
    pub answer: fn(&M::State, &M::Input) -> M::Output,
    /// The maximum number of operations in a history.
    pub max_operations: u64,
}

impl<M: Model> SmallHistories<'_, M>
where
    M::Input: Clone,
    M::Output: Clone,
{
    /// Draws the next history. It comes from an object that executes operations one at a time, but
    /// by mistake not always exactly once within the operation's interval.
    pub fn draw(&self, random: &mut Random) -> Vec<Operation<M::Input, M::Output>> {
        let len = self.max_operations - random.below(self.max_operations / 2 + 1);
        let mistakes = if random.percent(20) { 0 } else { 1 + random.below(4) };
        let span = if random.percent(50) { 2 * len } else { 4 * len };
        let mut history = Vec::new();
        // When which operation is executed.
        let mut moments = Vec::new();
        for index in 0..len as usize {
            let call_time = random.below(span);
            let input = random.pick(self.inputs).clone();
            let mut operation = Operation::pending(index as u64 % 3, input, call_time);
            let moment = call_time + random.below(4);
            if random.percent(85) {
                operation.return_time = Some(moment + random.below(3));
                moments.push((moment, index));
            } else if random.percent(70) {
                moments.push((moment, index));
            }
            history.push(operation);
        }
        for _ in 0..mistakes {
            let victim = random.below(moments.len().max(1) as u64) as usize;
            if let Some((moment, index)) = moments.get(victim).copied() {
                let elsewhere = (random.below(span), index);
                match random.below(4) {
                    0 => moments.push(elsewhere),
                    1 => moments.push((moment, random.below(len) as usize)),
                    _ => moments[victim] = elsewhere,
                }
            }
        }
        moments.sort_unstable();
        self.execute(&mut history, &moments, random);
        history
    }

    /// Fills in the answers. An operation that is executed twice keeps the last answer.
    fn execute(
        &self,
        history: &mut [Operation<M::Input, M::Output>],
        moments: &[(u64, usize)],
        random: &mut Random,
    ) {
        let mut state = self.model.init();
        for (_, index) in moments {
            let operation = &mut history[*index];
            let output = (self.answer)(&state, &operation.input);
            let after = self.model.step(&state, &operation.input, Some(&output));
            state = after.expect("the right answer is possible");
            // Sometimes an operation is known to be done, but its answer is not known.
            let is_known = operation.return_time.is_some() && !random.percent(3);
            operation.output = is_known.then_some(output);
        }
    }
}

/// A random workload of the key/value service.
#[derive(Clone, Debug)]
pub struct KvWorkload {
    /// The number of clients. Each has one operation in flight at all times.
    pub clients: u64,
    /// The number of operations of all clients together.
    pub operations: u64,
    /// The number of keys.
    pub keys: u64,
    /// The percentage of gets.
    pub gets: u64,
    /// The percentage of puts; the other operations are appends.
    pub puts: u64,
    /// The percentage of lost answers. After a lost answer the client continues under a new number.
    pub lost_answers: u64,
}

impl Default for KvWorkload {
    fn default() -> Self {
        KvWorkload { clients: 10, operations: 1000, keys: 5, gets: 50, puts: 5, lost_answers: 0 }
    }
}

impl KvWorkload {
    /// A history that is linearizable: each operation was executed at some moment between its call
    /// and its return.
    pub fn history(&self, seed: u64) -> Vec<Operation<KvInput, KvOutput>> {
        let mut random = Random::new(seed);
        let mut history: Vec<Operation<KvInput, KvOutput>> = Vec::new();
        let mut moments = Vec::new();
        // Each client's name, and when it calls next.
        let mut clients: Vec<(u64, u64)> = (0..self.clients).map(|client| (client, 0)).collect();
        for index in 0..self.operations as usize {
            let next = clients.iter_mut().min_by_key(|(name, time)| (*time, *name));
            let (name, time) = next.expect("a workload has clients");
            let call_time = *time + random.below(20);
            let moment = call_time + random.below(100);
            let return_time = moment + random.below(100);
            let input = self.draw_input(index, &mut random);
            let mut operation = Operation::pending(*name, input, call_time);
            if random.percent(self.lost_answers) {
                *name += self.clients;
            } else {
                operation.return_time = Some(return_time);
            }
            *time = return_time + 1;
            moments.push((moment, index));
            history.push(operation);
        }
        moments.sort_unstable();
        execute(&mut history, &moments);
        history
    }

    /// What is called next. No value is written twice.
    fn draw_input(&self, index: usize, random: &mut Random) -> KvInput {
        let key = random.below(self.keys).to_string();
        let kind = random.below(100);
        if kind < self.gets {
            KvInput::get(key)
        } else if kind < self.gets + self.puts {
            KvInput::put(key, format!("x {index} y"))
        } else {
            KvInput::append(key, format!("x {index} y"))
        }
    }
}

/// Fills in the answers, given the moment at which each operation is executed.
fn execute(history: &mut [Operation<KvInput, KvOutput>], moments: &[(u64, usize)]) {
    let mut values = std::collections::BTreeMap::new();
    for (_, index) in moments {
        let operation = &mut history[*index];
        let value: &mut String = values.entry(operation.input.key().to_string()).or_default();
        let output = kv_answer(value, &operation.input);
        if let Some(after) = KvModel.step(value, &operation.input, Some(&output)) {
            *value = after;
        }
        operation.output = operation.return_time.map(|_| output);
    }
}

/// The correct answer of a key/value service.
pub fn kv_answer(value: &String, input: &KvInput) -> KvOutput {
    match input {
        KvInput::Get { .. } => KvOutput::value(value),
        KvInput::Put { .. } | KvInput::Append { .. } => KvOutput::Done,
    }
}

/// Makes a history illegal: removes the first item from the value of a get that has at least two
/// of the workload's items. `None` if the history has no such get.
pub fn lose_an_append(
    history: &[Operation<KvInput, KvOutput>],
    random: &mut Random,
) -> Option<Vec<Operation<KvInput, KvOutput>>> {
    let item_end = |operation: &Operation<KvInput, KvOutput>| match &operation.output {
        Some(KvOutput::Value(value)) => {
            value.find('y').map(|at| at + 1).filter(|at| *at < value.len())
        }
        _ => None,
    };
    let victims: Vec<usize> =
        (0..history.len()).filter(|index| item_end(&history[*index]).is_some()).collect();
    if victims.is_empty() {
        return None;
    }
    let victim = *random.pick(&victims);
    let mut history = history.to_vec();
    if let (Some(at), Some(KvOutput::Value(value))) =
        (item_end(&history[victim]), &mut history[victim].output)
    {
        value.drain(..at);
    }
    Some(history)
}

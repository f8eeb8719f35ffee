//! Groups without servers, that hand shards to each other.

use std::collections::BTreeMap;

use super::*;

/// A configuration with this number, in which each shard is with one of these groups in turn.
fn config(num: u64, owners: &[Gid]) -> Config {
    let shards = std::array::from_fn(|shard| owners[shard % owners.len()]);
    let servers = |&gid: &Gid| (gid, vec![format!("server of {gid}")]);
    let groups = owners.iter().filter(|&&gid| gid != NO_GROUP).map(servers);
    Config { num, shards, groups: groups.collect::<BTreeMap<_, _>>() }
}

/// A group in its first configurations.
fn group(gid: Gid, configs: &[Config]) -> ShardStore {
    let mut store = ShardStore::new(gid);
    configs.iter().for_each(|config| store.configure(config.clone()));
    store
}

/// A key of this shard.
fn key(shard: usize) -> String {
    let key = char::from(b'2' + shard as u8).to_string(); // "2" is in shard 0.
    assert_eq!(key_to_shard(&key), shard);
    key
}

/// What a group says when a client appends "a" to a key of a shard.
fn append(store: &mut ShardStore, sequence: u64, shard: usize) -> Result<String, WrongGroup> {
    let command = Op::Append { key: key(shard), value: "a".to_string() };
    store.execute(Request { client: 7, sequence, command })
}

/// What a group says when a client reads a key of a shard.
fn get(store: &mut ShardStore, shard: usize) -> Result<String, WrongGroup> {
    let command = Op::Get { key: key(shard) };
    store.execute(Request { client: 8, sequence: 1, command })
}

/// What a group says that has this value.
fn value(value: &str) -> Result<String, WrongGroup> {
    Ok(value.to_string())
}

/// Everything that one group has to hand over goes to the other, and is confirmed.
fn hand_over_all(from: &mut ShardStore, to: &mut ShardStore) {
    for (_, handover) in from.handovers() {
        let (num, shard) = (handover.num, handover.shard);
        assert!(to.awaits(num, shard) && !to.has_received(num, shard));
        to.install(handover);
        assert!(to.has_received(num, shard) && !to.awaits(num, shard));
        from.discard(num, shard);
    }
}

#[test]
fn groups_exchange_shards_both_ways() {
    let configs = [config(1, &[1, 2]), config(2, &[2, 1])];
    let (mut one, mut two) = (group(1, &configs), group(2, &configs[..1]));
    assert_eq!(append(&mut two, 1, 1), value(""));
    two.configure(configs[1].clone());
    assert_eq!((one.handovers().len(), two.handovers().len()), (5, 5));
    assert_eq!((one.next_num(), two.next_num()), (None, None));
    hand_over_all(&mut one, &mut two);
    hand_over_all(&mut two, &mut one);
    assert_eq!((one.next_num(), two.next_num()), (Some(3), Some(3)));
    assert_eq!(append(&mut one, 1, 1), value(""), "the duplicate table came along");
    assert_eq!(get(&mut one, 1), value("a"));
    assert_eq!(get(&mut two, 1), Err(WrongGroup));
}

#[test]
fn shard_is_served_as_soon_as_it_is_there_and_never_before() {
    let configs = [config(1, &[1]), config(2, &[2])];
    let (mut one, mut two) = (group(1, &configs), group(2, &configs));
    assert_eq!(get(&mut one, 0), Err(WrongGroup), "one has lost it");
    assert_eq!(get(&mut two, 0), Err(WrongGroup), "two does not have it yet");
    two.install(one.handovers().swap_remove(0).1);
    assert_eq!(get(&mut two, 0), value(""));
    assert_eq!(get(&mut two, 1), Err(WrongGroup), "another shard has not come");
    assert_eq!(one.handovers().len(), SHARDS, "nothing is let go of before it is confirmed");
}

#[test]
fn configurations_come_in_order_and_one_at_a_time() {
    let mut store = group(2, &[config(2, &[2])]);
    assert_eq!(store.next_num(), Some(1), "number 1 is missing");
    store.configure(config(1, &[1]));
    store.configure(config(2, &[2]));
    store.configure(config(3, &[1]));
    assert_eq!((store.state.config.num, store.next_num()), (2, None), "its shards have not come");
}

#[test]
fn handover_of_an_earlier_configuration_changes_nothing() {
    let configs = [config(1, &[1]), config(2, &[2]), config(3, &[1]), config(4, &[2])];
    let (mut one, mut two) = (group(1, &configs[..2]), group(2, &configs[..2]));
    let late = one.handovers();
    hand_over_all(&mut one, &mut two);
    two.configure(configs[2].clone());
    one.configure(configs[2].clone());
    hand_over_all(&mut two, &mut one);
    one.configure(configs[3].clone());
    two.configure(configs[3].clone());
    for (_, handover) in late {
        assert!(two.has_received(handover.num, handover.shard), "long ago");
        two.install(handover.clone());
        one.discard(handover.num, handover.shard);
        assert!(two.awaits(4, handover.shard));
    }
    assert_eq!(one.handovers().len(), SHARDS);
}

#[test]
fn last_group_to_leave_keeps_the_contents_for_the_next() {
    let configs = [config(1, &[1]), config(2, &[NO_GROUP]), config(3, &[2])];
    let mut one = group(1, &configs[..1]);
    assert_eq!(append(&mut one, 1, 0), value(""));
    one.configure(configs[1].clone());
    assert_eq!(get(&mut one, 0), Err(WrongGroup));
    assert_eq!((one.handovers().len(), one.next_num()), (0, Some(3)));
    one.configure(configs[2].clone());
    let mut two = group(2, &configs);
    hand_over_all(&mut one, &mut two);
    assert_eq!(get(&mut two, 0), value("a"));
}

#[test]
fn snapshot_holds_everything() {
    let configs = [config(1, &[1]), config(2, &[1, 2])];
    let mut store = group(1, &configs[..1]);
    (0..SHARDS).for_each(|shard| assert!(append(&mut store, 1, shard).is_ok()));
    store.configure(configs[1].clone());
    let mut restored = ShardStore::new(1);
    restored.restore(&store.snapshot());
    assert_eq!(restored.handovers(), store.handovers());
    assert_eq!(append(&mut restored, 1, 0), value(""), "sent again");
    assert_eq!(get(&mut restored, 0), value("a"));
    hand_over_all(&mut restored, &mut group(2, &configs));
    assert_eq!(restored.next_num(), Some(3));
}

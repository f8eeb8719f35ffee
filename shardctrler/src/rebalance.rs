//! Sharing shards out among groups: as evenly as possible, and moving as few as possible.
//!
//! With 10 shards and 3 groups, an even share is 4, 3 and 3: one group gets one shard more than the
//! others. Suppose group 1 has left, and 4 has come:
//!
//! ```text
//! shard      0 1 2 3 4 5 6 7 8 9
//! before     1 1 2 2 2 2 2 3 3 3     held   2: 5   3: 3   4: 0
//! quotas                                    2: 4   3: 3   4: 3   group 2 holds most: 4
//! keep       . . 2 2 2 2 . 3 3 3     room   2: 0   3: 0   4: 3
//! hand out   4 4 2 2 2 2 4 3 3 3
//! ```
//!
//! **Why no assignment moves fewer shards.** An even assignment gives `S / n` shards to each of the
//! n groups, and one more to `S % n` of them. The only choice is which groups get one more. A group
//! keeps all shards that it holds, up to its quota. So the larger quota saves a move if the group
//! holds more than `S / n`, and saves nothing otherwise. The groups that hold most get the larger
//! quotas: if one of these saves nothing, every group that holds more than `S / n` has one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::config::{Gid, NO_GROUP};

/// Reassigns shards so that each is with one of `members`, and that the numbers of shards of two
/// members differ by at most one. No such assignment differs in fewer shards. Without members, all
/// shards are with [`NO_GROUP`].
///
/// `members` are in ascending order, none twice.
pub(crate) fn rebalance(shards: &mut [Gid], members: &[Gid]) {
    if members.is_empty() {
        shards.fill(NO_GROUP);
        return;
    }
    let mut room = quotas(shards, members);
    let mut to_move = Vec::new();
    for owner in shards {
        match room.get_mut(owner) {
            Some(room) if *room > 0 => *room -= 1,
            _ => to_move.push(owner),
        }
    }
    // The quotas add up to the number of shards, so there is a place for each.
    let places = room.into_iter().flat_map(|(gid, room)| std::iter::repeat_n(gid, room));
    to_move.into_iter().zip(places).for_each(|(owner, gid)| *owner = gid);
}

/// How many shards each member is to have: an even share, and what does not divide goes to the
/// members that hold most, among equals to the lowest number.
fn quotas(shards: &[Gid], members: &[Gid]) -> BTreeMap<Gid, usize> {
    let held = |gid: &Gid| shards.iter().filter(|owner| *owner == gid).count();
    let mut by_held = members.to_vec();
    by_held.sort_by_key(|gid| Reverse(held(gid))); // Stable: equals stay in ascending order.
    let (share, left_over) = (shards.len() / members.len(), shards.len() % members.len());
    let quota = |place: usize| share + usize::from(place < left_over);
    by_held.into_iter().enumerate().map(|(place, gid)| (gid, quota(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The assignment after rebalancing.
    fn rebalanced(shards: &[Gid], members: &[Gid]) -> Vec<Gid> {
        let mut shards = shards.to_vec();
        rebalance(&mut shards, members);
        shards
    }

    #[test]
    fn picture_at_the_top() {
        let after = rebalanced(&[1, 1, 2, 2, 2, 2, 2, 3, 3, 3], &[2, 3, 4]);
        assert_eq!(after, [4, 4, 2, 2, 2, 2, 4, 3, 3, 3]);
    }

    #[test]
    fn first_group_gets_everything_and_the_last_leaves_it_to_no_group() {
        assert_eq!(rebalanced(&[NO_GROUP; 3], &[7]), [7, 7, 7]);
        assert_eq!(rebalanced(&[7; 3], &[]), [NO_GROUP; 3]);
    }

    #[test]
    fn groups_without_a_shard_wait_for_one() {
        assert_eq!(rebalanced(&[5, 6, 7], &[1, 5, 6, 7]), [5, 6, 7]);
        assert_eq!(rebalanced(&[5, 6, 7], &[1, 2, 6, 7]), [1, 6, 7]);
    }

    #[test]
    fn what_was_moved_by_hand_is_undone() {
        assert_eq!(rebalanced(&[1, 1, 1, 1, 1, 2], &[1, 2, 3]), [1, 1, 2, 3, 3, 2]);
    }

    /// All assignments of a number of shards to groups `0..owners`, where 0 is [`NO_GROUP`].
    fn assignments(shards: u32, owners: Gid) -> impl Iterator<Item = Vec<Gid>> {
        (0..owners.pow(shards))
            .map(move |code| (0..shards).map(|shard| code / owners.pow(shard) % owners).collect())
    }

    /// Whether each shard is with a member, and the numbers of shards differ by at most one.
    fn is_even(shards: &[Gid], members: &[Gid]) -> bool {
        let held = |gid: &Gid| shards.iter().filter(|owner| *owner == gid).count();
        let (least, most) = (members.iter().map(held).min(), members.iter().map(held).max());
        shards.iter().all(|owner| members.contains(owner))
            && least.zip(most).is_some_and(|(least, most)| most <= least + 1)
    }

    /// In how many shards two assignments differ.
    fn moves(before: &[Gid], after: &[Gid]) -> usize {
        before.iter().zip(after).filter(|(before, after)| before != after).count()
    }

    /// Every way to begin with up to six shards and up to four groups, against every way to end.
    #[test]
    fn no_even_assignment_moves_fewer() {
        const GROUPS: Gid = 4;
        for chosen in 1..1_u32 << GROUPS {
            let members: Vec<Gid> =
                (1..=GROUPS).filter(|gid| chosen & 1 << (gid - 1) != 0).collect();
            for shards in 0..=6 {
                let even: Vec<Vec<Gid>> = assignments(shards, GROUPS + 1)
                    .filter(|shards| is_even(shards, &members))
                    .collect();
                for before in assignments(shards, GROUPS + 1) {
                    let after = rebalanced(&before, &members);
                    assert!(is_even(&after, &members), "{before:?} to {members:?}: {after:?}");
                    let best = even.iter().map(|even| moves(&before, even)).min();
                    assert_eq!(
                        Some(moves(&before, &after)),
                        best,
                        "{before:?} to {members:?}: {after:?}"
                    );
                }
            }
        }
    }
}

//! Hosts of which all are changed or none.

use std::mem;

use dialect::Code;
use zone::Change;

use super::Plan;

/// One change in place of several, at the place of the first of them. If anything is in the way of
/// one host, that is the answer of all.
pub(super) fn join(mut plans: Vec<Plan>) -> Vec<Plan> {
    let refused = plans.iter().find(|plan| matches!(plan, Plan::Answer { .. }));
    if let Some(refused) = refused {
        return vec![refused.clone(); plans.len()];
    }
    let Some(first) = plans.iter().position(|plan| matches!(plan, Plan::Submit { .. })) else {
        return plans;
    };
    let mut joined = mem::replace(&mut plans[first], Plan::Same(first));
    for plan in &mut plans[first + 1..] {
        if !matches!(plan, Plan::Submit { .. }) {
            continue;
        }
        joined = match both(joined, mem::replace(plan, Plan::Same(first))) {
            Some(joined) => joined,
            None => {
                let why = "the hosts lie in several zones".to_owned();
                return vec![Plan::Answer { code: Code::Numhost, why }; plans.len()];
            }
        };
    }
    plans[first] = joined;
    plans
}

/// Two changes as one; `None` when they are of two zones.
fn both(one: Plan, other: Plan) -> Option<Plan> {
    match (one, other) {
        (
            Plan::Submit { mut hosts, change, mut addresses, mut deleted },
            Plan::Submit { hosts: more, change: second, addresses: others, deleted: also },
        ) => {
            if change.zone != second.zone {
                return None;
            }
            hosts.extend(more);
            addresses.extend(others);
            deleted.ipv4 |= also.ipv4;
            deleted.ipv6 |= also.ipv6;
            let change = Change::new(change.zone, [change.edits, second.edits].concat());
            Some(Plan::Submit { hosts, change, addresses, deleted })
        }
        (one, _) => Some(one),
    }
}

"""The kinds of customers that the trade speaks of: their names, who they are, and what to do with them."""

from typing import NamedTuple

from segmenter.messages import Message


class Archetype(NamedTuple):
    """A kind of customer."""

    name: Message
    who: Message
    advice: Message


ARCHETYPES = {
    "loyal_big": Archetype(
        Message("segments.loyal_big", "loyal big buyers"),
        Message("segments.who_loyal_big", "They spend more than most and order often, the last time not long ago."),
        Message(
            "segments.do_loyal_big",
            "Invite them first and thank them in person: service and early access rather than discounts; ask them to bring others.",
        ),
    ),
    "regulars": Archetype(
        Message("segments.regulars", "regulars"),
        Message("segments.who_regulars", "They order at least as often as most, and still do."),
        Message("segments.do_regulars", "Keep the rhythm: tell them what is new, and offer what goes with what they buy."),
    ),
    "repeat": Archetype(
        Message("segments.repeat", "repeat buyers"),
        Message("segments.who_repeat", "Most of them have ordered twice so far."),
        Message("segments.do_repeat", "The third order makes the habit: offer what goes with the last one, and a reward for the next."),
    ),
    "rising": Archetype(
        Message("segments.rising", "on the way up"),
        Message("segments.who_rising", "Not here as long as most, and they buy more than most of late."),
        Message("segments.do_rising", "Give them more attention than their rank says: a named contact, and a reward for the next step."),
    ),
    "frequent_small": Archetype(
        Message("segments.frequent_small", "frequent small baskets"),
        Message("segments.who_frequent_small", "They order often, in small orders."),
        Message("segments.do_frequent_small", "Make the basket larger: bundles, larger packs, free shipping from an amount on."),
    ),
    "small_active": Archetype(
        Message("segments.small_active", "small but active"),
        Message("segments.who_small_active", "They still order, and spend less than most."),
        Message("segments.do_small_active", "Good company in a group, at low cost: messages rather than calls, and bundles."),
    ),
    "big_rare": Archetype(
        Message("segments.big_rare", "big but rare"),
        Message("segments.who_big_rare", "They spend much, in few and large orders."),
        Message("segments.do_big_rare", "Ask when they will need the next, and call before that; weekly offers say little to them."),
    ),
    "large_orders": Archetype(
        Message("segments.large_orders", "large-order buyers"),
        Message("segments.who_large_orders", "They spend much, as each order is large."),
        Message("segments.do_large_orders", "Offer terms by quantity, and one person to order from."),
    ),
    "promising": Archetype(
        Message("segments.promising", "promising new"),
        Message("segments.who_promising", "Here for a short time, and they have ordered again or spent much."),
        Message("segments.do_promising", "Welcome them, and lead them to the next order within weeks: the first ones decide."),
    ),
    "newcomers": Archetype(
        Message("segments.newcomers", "new customers"),
        Message("segments.who_newcomers", "Here for a short time, and they have begun to order."),
        Message("segments.do_newcomers", "Welcome them, show what else there is, and give a reason for a second order."),
    ),
    "one_time": Archetype(
        Message("segments.one_time", "one-timers"),
        Message("segments.who_one_time", "Most of them have ordered once, and not again."),
        Message("segments.do_one_time", "One clear reason for a second order, once or twice; then leave them to messages."),
    ),
    "occasional": Archetype(
        Message("segments.occasional", "occasional buyers"),
        Message("segments.who_occasional", "They order less often than most, and still do."),
        Message("segments.do_occasional", "Remind them when their season or their stock comes round."),
    ),
    "slipping_big": Archetype(
        Message("segments.slipping_big", "big buyers slipping away"),
        Message("segments.who_slipping_big", "They spent much, and have stayed away for longer than usual."),
        Message("segments.do_slipping_big", "Call these before all others, in person: ask what went wrong, and bring the best offer."),
    ),
    "slipping": Archetype(
        Message("segments.slipping", "slipping away"),
        Message("segments.who_slipping", "They have ordered more than once, and have stayed away for longer than usual."),
        Message("segments.do_slipping", "Win them back now: a call with a dated offer, before they are lost."),
    ),
    "lost": Archetype(
        Message("segments.lost", "lost"),
        Message("segments.who_lost", "Their last order is long ago, and they were no big buyers."),
        Message("segments.do_lost", "Last in line: one message with a strong offer, no calls."),
    ),
    "browsers": Archetype(
        Message("segments.browsers", "browsers who never bought"),
        Message("segments.who_browsers", "They look and do things, and have not ordered."),
        Message("segments.do_browsers", "Ask what keeps them from the first order; a small first offer, no loyalty talk."),
    ),
    "hardly_bought": Archetype(
        Message("segments.hardly_bought", "hardly bought"),
        Message("segments.who_hardly_bought", "Half or more have not ordered, the others little."),
        Message("segments.do_hardly_bought", "Ask what keeps them from ordering; a small offer to begin with, by message."),
    ),
    "yet_to_buy": Archetype(
        Message("segments.yet_to_buy", "yet to buy"),
        Message("segments.who_yet_to_buy", "They are known, and have not ordered."),
        Message("segments.do_yet_to_buy", "A welcome with a small first offer, by message."),
    ),
    "everyone": Archetype(
        Message("segments.everyone", "all eligible customers"),
        Message("segments.who_everyone", "All whom the rules keep, in one segment."),
        Message("segments.do_everyone", "Tell all of them the same, and go by rank."),
    ),
    "ordinary": Archetype(
        Message("segments.ordinary", "ordinary customers"),
        Message("segments.who_ordinary", "Nothing of theirs stands out."),
        Message("segments.do_ordinary", "As for everyone: what is new, and what sells."),
    ),
}

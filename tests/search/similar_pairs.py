"""Labelled pairs of debates: one that is here, one about to be opened, and whether both argue the
same. Read by test_similarity.py, which prints precision and recall (pytest -s) and holds them to
what docs/decisions/ defends.

Each debate: title, (what changes, who, where, when). Ten pairs and more are the same debate in
other words, as many only sound alike: another event of the same person, place or word.
"""

SAME = [
    (
        (
            "What if Lenin had lived to 1930?",
            "Lenin recovers from his stroke.",
            "Lenin",
            "Gorki, Russia",
            "1922",
        ),
        (
            "Lenin survives his illness",
            "Vladimir Lenin recovers from his strokes.",
            "Vladimir Lenin",
            "Moscow",
            "March 1923",
        ),
    ),
    (
        (
            "Franz Ferdinand survives Sarajevo",
            "The archduke's driver takes the planned route.",
            "Franz Ferdinand",
            "Sarajevo",
            "28 June 1914",
        ),
        (
            "No assassination at Sarajevo in 1914",
            "Princip's pistol jams.",
            "Gavrilo Princip",
            "Sarajevo, Bosnia",
            "June 1914",
        ),
    ),
    (
        (
            "Persia wins at Salamis",
            "The Greek fleet is caught in the open.",
            "Xerxes",
            "Salamis",
            "480 BC",
        ),
        (
            "WI: the Greeks lose the battle of Salamis?",
            "Themistocles' trick fails and the Greek fleet is trapped.",
            "Themistocles",
            "Saronic Gulf",
            "September 480 BC",
        ),
    ),
    (
        (
            "Constantinople holds in 1453",
            "The gate of the Kerkoporta is shut.",
            "Constantine XI",
            "Constantinople",
            "29 May 1453",
        ),
        (
            "The Ottomans fail to take Constantinople",
            "Mehmed lifts the siege.",
            "Mehmed II",
            "Constantinople",
            "May 1453",
        ),
    ),
    (
        (
            "The Spanish Armada lands",
            "The wind holds and Parma's barges cross.",
            "Duke of Parma",
            "English Channel",
            "August 1588",
        ),
        (
            "What if the Armada had succeeded?",
            "Parma's army embarks in time and the Armada covers the crossing.",
            "Medina Sidonia",
            "Flanders",
            "1588",
        ),
    ),
    (
        (
            "Caesar listens to the soothsayer",
            "Caesar stays at home on the Ides of March.",
            "Julius Caesar",
            "Rome",
            "15 March 44 BC",
        ),
        (
            "Julius Caesar is not assassinated",
            "The conspirators are betrayed.",
            "Brutus and Cassius",
            "Rome",
            "March 44 BC",
        ),
    ),
    (
        (
            "Ögedei does not die in 1241",
            "The great khan lives and the Mongols stay in Hungary.",
            "Ögedei Khan",
            "Karakorum",
            "December 1241",
        ),
        (
            "The Mongols carry on into Germany",
            "Ogedei Khan lives ten years longer.",
            "Batu Khan",
            "Hungary",
            "1242",
        ),
    ),
    (
        (
            "Trotsky succeeds Lenin",
            "Trotsky, not Stalin, leads the party.",
            "Leon Trotsky",
            "Moscow",
            "about 1924",
        ),
        (
            "Trotsky instead of Stalin",
            "Stalin is removed as general secretary and Trotsky takes over.",
            "Joseph Stalin",
            "USSR",
            "1924",
        ),
    ),
    (
        (
            "Halifax becomes prime minister",
            "Halifax accepts the office and Britain asks for terms.",
            "Lord Halifax",
            "London",
            "May 1940",
        ),
        (
            "Britain makes peace in 1940 under Halifax",
            "Churchill is passed over for Lord Halifax.",
            "Winston Churchill",
            "Westminster",
            "10 May 1940",
        ),
    ),
    (
        (
            "Challenge: keep the Library of Alexandria",
            "The fire spares the library.",
            "",
            "Alexandria",
            "48 BC",
        ),
        (
            "The great library at Alexandria does not burn",
            "Caesar's ships are set on fire elsewhere.",
            "Julius Caesar",
            "Alexandria, Egypt",
            "winter 48 BC",
        ),
    ),
    (
        (
            "Cuba 1962: the submarine fires",
            "B-59 launches its nuclear torpedo.",
            "Valentin Savitsky",
            "Sargasso Sea",
            "27 October 1962",
        ),
        (
            "Arkhipov says yes",
            "The captain of submarine B-59 fires the nuclear torpedo.",
            "Vasily Arkhipov",
            "off Cuba",
            "October 1962",
        ),
    ),
    (
        ("No Black Death", "Plague never reaches Caffa.", "", "Caffa, Crimea", "1346"),
        (
            "The Black Death stays in Asia",
            "The siege of Caffa is lifted before the plague comes.",
            "Jani Beg",
            "Crimea",
            "1345",
        ),
    ),
]

APART = [
    (
        (
            "What if Lenin had lived to 1930?",
            "Lenin recovers from his stroke.",
            "Lenin",
            "Gorki, Russia",
            "1922",
        ),
        (
            "Lenin never leaves Zürich",
            "Germany refuses the sealed train.",
            "Lenin",
            "Zürich",
            "April 1917",
        ),
    ),
    (
        (
            "Persia wins at Salamis",
            "The Greek fleet is caught in the open.",
            "Xerxes",
            "Salamis",
            "480 BC",
        ),
        (
            "Cyprus stays Persian",
            "Kimon dies before the second battle of Salamis.",
            "Kimon",
            "Salamis in Cyprus",
            "450 BC",
        ),
    ),
    (
        (
            "Constantinople holds in 1453",
            "The gate of the Kerkoporta is shut.",
            "Constantine XI",
            "Constantinople",
            "29 May 1453",
        ),
        (
            "The Fourth Crusade goes to Egypt",
            "The crusaders do not sack Constantinople.",
            "Enrico Dandolo",
            "Constantinople",
            "1204",
        ),
    ),
    (
        (
            "Caesar listens to the soothsayer",
            "Caesar stays at home on the Ides of March.",
            "Julius Caesar",
            "Rome",
            "15 March 44 BC",
        ),
        (
            "Caesar drowns in the Channel",
            "A storm sinks Caesar's ship on the way to Britain.",
            "Julius Caesar",
            "Britain",
            "55 BC",
        ),
    ),
    (
        (
            "The Spanish Armada lands",
            "The wind holds and Parma's barges cross.",
            "Duke of Parma",
            "English Channel",
            "August 1588",
        ),
        (
            "Operation Sealion lands",
            "German barges cross the English Channel.",
            "Wehrmacht",
            "English Channel",
            "September 1940",
        ),
    ),
    (
        (
            "Trotsky succeeds Lenin",
            "Trotsky, not Stalin, leads the party.",
            "Leon Trotsky",
            "Moscow",
            "about 1924",
        ),
        (
            "Trotsky dodges the ice axe",
            "Mercader is searched at the door.",
            "Leon Trotsky",
            "Mexico City",
            "20 August 1940",
        ),
    ),
    (
        (
            "Franz Ferdinand survives Sarajevo",
            "The archduke's driver takes the planned route.",
            "Franz Ferdinand",
            "Sarajevo",
            "28 June 1914",
        ),
        (
            "Sarajevo Olympics are moved",
            "The Winter Games of 1984 go to Sapporo.",
            "IOC",
            "Sarajevo",
            "1978",
        ),
    ),
    (
        (
            "Halifax becomes prime minister",
            "Halifax accepts the office and Britain asks for terms.",
            "Lord Halifax",
            "London",
            "May 1940",
        ),
        (
            "No Halifax explosion",
            "The Mont-Blanc passes the Narrows safely.",
            "",
            "Halifax, Nova Scotia",
            "December 1917",
        ),
    ),
    (
        (
            "Ögedei does not die in 1241",
            "The great khan lives and the Mongols stay in Hungary.",
            "Ögedei Khan",
            "Karakorum",
            "December 1241",
        ),
        (
            "The Mongols take Japan",
            "The typhoon misses the fleet of Kublai Khan.",
            "Kublai Khan",
            "Hakata Bay",
            "August 1281",
        ),
    ),
    (
        (
            "Challenge: keep the Library of Alexandria",
            "The fire spares the library.",
            "",
            "Alexandria",
            "48 BC",
        ),
        (
            "Alexander dies at the Granicus",
            "Alexandria is never founded.",
            "Alexander the Great",
            "Granicus",
            "May 334 BC",
        ),
    ),
    (
        (
            "Cuba 1962: the submarine fires",
            "B-59 launches its nuclear torpedo.",
            "Valentin Savitsky",
            "Sargasso Sea",
            "27 October 1962",
        ),
        (
            "The Bay of Pigs succeeds",
            "The landing in Cuba gets its air cover.",
            "John F. Kennedy",
            "Cuba",
            "April 1961",
        ),
    ),
    (
        ("No Black Death", "Plague never reaches Caffa.", "", "Caffa, Crimea", "1346"),
        (
            "No plague of Justinian",
            "The plague never reaches Pelusium.",
            "Justinian",
            "Pelusium, Egypt",
            "541",
        ),
    ),
    (
        (
            "Britain makes peace in 1940",
            "Churchill falls in May and Britain asks for terms.",
            "Winston Churchill",
            "London",
            "May 1940",
        ),
        (
            "France fights on from Algiers",
            "Reynaud goes to North Africa with the fleet.",
            "Paul Reynaud",
            "Bordeaux",
            "June 1940",
        ),
    ),
]

"""A second set of labelled pairs, written before the matcher was tried on them. They showed that
debates of the same year about other moments were named; since how near two dates must be was
changed after that, this set is spent as well.

Laid out as in similar_pairs.py.
"""

SAME = [
    (
        (
            "Gore wins Florida",
            "The butterfly ballot is redesigned and Gore carries the state.",
            "Al Gore",
            "Florida",
            "7 November 2000",
        ),
        (
            "President Gore in 2001",
            "The Supreme Court lets the Florida recount go on.",
            "US Supreme Court",
            "Washington, Florida",
            "December 2000",
        ),
    ),
    (
        (
            "Napoleon wins at Waterloo",
            "Grouchy marches to the sound of the guns.",
            "Marshal Grouchy",
            "Waterloo, Belgium",
            "18 June 1815",
        ),
        (
            "WI Blücher never arrives?",
            "The Prussians retreat to Liège after Ligny, so Wellington fights at Waterloo alone.",
            "Blücher",
            "Belgium",
            "June 1815",
        ),
    ),
    (
        (
            "Hannibal marches on Rome after Cannae",
            "Maharbal persuades Hannibal to besiege the city.",
            "Hannibal",
            "Italy",
            "216 BC",
        ),
        (
            "Challenge: have Carthage win the Second Punic War",
            "Rome opens peace talks after Cannae.",
            "Hannibal Barca",
            "Cannae",
            "August 216 BC",
        ),
    ),
    (
        (
            "Lincoln survives Ford's Theatre",
            "Booth's shot misses.",
            "Abraham Lincoln",
            "Washington",
            "14 April 1865",
        ),
        (
            "Reconstruction under Lincoln",
            "Lincoln stays at home on Good Friday and serves out his second term.",
            "Abraham Lincoln",
            "Washington, D.C.",
            "1865",
        ),
    ),
    (
        (
            "Vinland lasts",
            "The Norse keep the settlement in Newfoundland.",
            "Leif Erikson",
            "Vinland",
            "about 1005",
        ),
        (
            "A lasting Norse colony in North America",
            "Trade with the Skraelings keeps L'Anse aux Meadows alive.",
            "Thorfinn Karlsefni",
            "Newfoundland",
            "1010",
        ),
    ),
    (
        (
            "No Treaty of Tordesillas",
            "Portugal refuses the line.",
            "John II of Portugal",
            "Tordesillas",
            "1494",
        ),
        (
            "Spain and Portugal never divide the world",
            "The talks at Tordesillas collapse over the meridian.",
            "Isabella and Ferdinand",
            "Castile",
            "June 1494",
        ),
    ),
    (
        (
            "Alexander the Great lives to sixty",
            "He recovers from the fever.",
            "Alexander",
            "Babylon",
            "323 BC",
        ),
        (
            "What if Alexander had not drunk at Medius' party",
            "No fever strikes him down and Arabia is invaded.",
            "Alexander of Macedon",
            "Babylon",
            "June 323 BC",
        ),
    ),
    (
        (
            "Kornilov's coup succeeds",
            "The Wild Division reaches Petrograd.",
            "Lavr Kornilov",
            "Petrograd",
            "September 1917",
        ),
        (
            "A military dictatorship in Russia before October",
            "Kerensky and Kornilov do not fall out.",
            "Kerensky",
            "Russia",
            "August 1917",
        ),
    ),
    (
        (
            "The July Plot works",
            "The briefcase is not moved and Hitler dies.",
            "Claus von Stauffenberg",
            "Wolf's Lair, Rastenburg",
            "20 July 1944",
        ),
        (
            "Hitler is killed by Stauffenberg's bomb",
            "The second charge is armed as well.",
            "Stauffenberg",
            "East Prussia",
            "July 1944",
        ),
    ),
    (
        (
            "Zheng He sails on",
            "The Xuande emperor keeps the treasure fleet.",
            "Xuande",
            "Nanjing",
            "1433",
        ),
        (
            "China keeps exploring",
            "Ming officials do not burn the logs of the treasure voyages.",
            "Ming court",
            "China",
            "1430s",
        ),
    ),
]

APART = [
    (
        (
            "Gore wins Florida",
            "The butterfly ballot is redesigned and Gore carries the state.",
            "Al Gore",
            "Florida",
            "7 November 2000",
        ),
        (
            "Florida stays Spanish",
            "Spain does not sell Florida.",
            "Luis de Onís",
            "Florida",
            "1819",
        ),
    ),
    (
        (
            "Napoleon wins at Waterloo",
            "Grouchy marches to the sound of the guns.",
            "Marshal Grouchy",
            "Waterloo, Belgium",
            "18 June 1815",
        ),
        (
            "Napoleon stays on Elba",
            "The ship to France is caught on the way.",
            "Napoleon",
            "Elba",
            "February 1815",
        ),
    ),
    (
        (
            "Hannibal marches on Rome after Cannae",
            "Maharbal persuades Hannibal to besiege the city.",
            "Hannibal",
            "Italy",
            "216 BC",
        ),
        (
            "Hannibal wins at Zama",
            "The elephants do not bolt.",
            "Hannibal",
            "Zama",
            "202 BC",
        ),
    ),
    (
        (
            "Lincoln survives Ford's Theatre",
            "Booth's shot misses.",
            "Abraham Lincoln",
            "Washington",
            "14 April 1865",
        ),
        (
            "Lee burns Washington",
            "Early's raid takes Washington while Lincoln is there.",
            "Jubal Early",
            "Washington",
            "July 1864",
        ),
    ),
    (
        (
            "Alexander the Great lives to sixty",
            "He recovers from the fever.",
            "Alexander",
            "Babylon",
            "323 BC",
        ),
        (
            "Tsar Alexander II lives",
            "The second bomb misses the Tsar.",
            "Alexander II",
            "St. Petersburg",
            "13 March 1881",
        ),
    ),
    (
        (
            "The July Plot works",
            "The briefcase is not moved and Hitler dies.",
            "Claus von Stauffenberg",
            "Wolf's Lair, Rastenburg",
            "20 July 1944",
        ),
        (
            "Elser's bomb kills Hitler",
            "The speech in the beer hall is not cut short.",
            "Georg Elser",
            "Munich",
            "8 November 1939",
        ),
    ),
    (
        (
            "Kornilov's coup succeeds",
            "The Wild Division reaches Petrograd.",
            "Lavr Kornilov",
            "Petrograd",
            "September 1917",
        ),
        (
            "The Bolsheviks fail in October",
            "Kerensky's cossacks hold the Winter Palace.",
            "Kerensky",
            "Petrograd",
            "November 1917",
        ),
    ),
    (
        (
            "D-Day fails",
            "The storm returns and the Normandy landings are thrown back.",
            "Eisenhower",
            "Normandy",
            "6 June 1944",
        ),
        (
            "Harold wins at Hastings",
            "The Normans are thrown back to their ships.",
            "Harold Godwinson",
            "Hastings",
            "14 October 1066",
        ),
    ),
    (
        (
            "The Dutch keep New Amsterdam",
            "Stuyvesant's guns open fire on the English squadron.",
            "Peter Stuyvesant",
            "New Amsterdam",
            "1664",
        ),
        (
            "The Dutch keep Brazil",
            "Recife is relieved in time.",
            "Dutch West India Company",
            "Recife",
            "1654",
        ),
    ),
    (
        (
            "The Soviets land on the Moon first",
            "The N1 flies.",
            "Sergei Korolev",
            "Baikonur",
            "1969",
        ),
        (
            "Apollo 11 crashes",
            "The Eagle tips over on the Moon.",
            "Neil Armstrong",
            "Sea of Tranquility, Moon",
            "20 July 1969",
        ),
    ),
]

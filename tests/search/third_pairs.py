"""A third set of labelled pairs, written after the second had led to a change (how near two dates
must be) and before the matcher was tried on them. Nothing was set with these.

Laid out as in similar_pairs.py.
"""

SAME = [
    (
        (
            "The South wins at Gettysburg",
            "Ewell takes Cemetery Hill on the first day.",
            "Richard Ewell",
            "Gettysburg, Pennsylvania",
            "1 July 1863",
        ),
        (
            "Lee's army breaks the Union line at Gettysburg",
            "Pickett's charge is supported and the Army of the Potomac retreats.",
            "Robert E. Lee",
            "Gettysburg",
            "3 July 1863",
        ),
    ),
    (
        (
            "Archduke Maximilian keeps Mexico",
            "The French stay and the empire is saved.",
            "Maximilian",
            "Mexico",
            "1867",
        ),
        (
            "A Habsburg Mexico",
            "Napoleon III does not withdraw his troops from Mexico.",
            "Napoleon III",
            "Veracruz",
            "1866",
        ),
    ),
    (
        (
            "William of Normandy drowns on the way to England",
            "The fleet is scattered.",
            "William the Conqueror",
            "English Channel",
            "September 1066",
        ),
        (
            "Anglo-Saxon England survives",
            "Harold's shield wall holds at Hastings.",
            "Harold Godwinson",
            "Hastings",
            "14 October 1066",
        ),
    ),
    (
        (
            "Chernobyl does not explode",
            "The test is called off.",
            "Anatoly Dyatlov",
            "Chernobyl",
            "26 April 1986",
        ),
        (
            "No accident at Chernobyl: does the USSR last?",
            "Reactor four is shut down safely.",
            "",
            "Ukrainian SSR",
            "April 1986",
        ),
    ),
    (
        (
            "Kennedy is not shot in Dallas",
            "Oswald's rifle jams.",
            "Lee Harvey Oswald",
            "Dallas, Texas",
            "22 November 1963",
        ),
        (
            "JFK's second term",
            "Kennedy leaves Dallas unhurt.",
            "John F. Kennedy",
            "Texas",
            "November 1963",
        ),
    ),
    (
        (
            "The Western Roman Empire takes Africa back in 468",
            "Basiliscus does not lose the fleet off Cape Bon.",
            "Basiliscus",
            "Carthage",
            "468",
        ),
        (
            "Fireships miss at Cape Bon",
            "The Vandals are beaten and Carthage returns to Rome.",
            "Gaiseric",
            "Cape Bon",
            "468",
        ),
    ),
    (
        (
            "Henry VIII and Catherine have a son",
            "Henry, Duke of Cornwall, lives past infancy.",
            "Catherine of Aragon",
            "England",
            "1511",
        ),
        (
            "The Duke of Cornwall grows up",
            "No divorce, no break with Rome, since Henry VIII has an heir.",
            "Henry VIII",
            "Richmond Palace",
            "February 1511",
        ),
    ),
    (
        (
            "Tokugawa loses at Sekigahara",
            "Kobayakawa does not change sides.",
            "Kobayakawa Hideaki",
            "Sekigahara",
            "21 October 1600",
        ),
        (
            "The Toyotomi keep Japan",
            "Ishida Mitsunari beats Tokugawa Ieyasu at Sekigahara.",
            "Ishida Mitsunari",
            "Japan",
            "1600",
        ),
    ),
    (
        (
            "Judaea stays quiet: no Jewish revolt",
            "Gessius Florus leaves the Temple treasury alone.",
            "Gessius Florus",
            "Jerusalem",
            "AD 66",
        ),
        (
            "The Second Temple stands",
            "Jerusalem surrenders before Titus storms it.",
            "Titus",
            "Jerusalem",
            "AD 70",
        ),
    ),
    (
        (
            "The Aztecs drive Cortés into the sea",
            "Nobody gets out on the Night of Sorrows.",
            "Cuitláhuac",
            "Tenochtitlan",
            "30 June 1520",
        ),
        (
            "Cortés dies on the Noche Triste",
            "The causeway is cut and the Spaniards perish in Tenochtitlan.",
            "Hernán Cortés",
            "Mexico",
            "1520",
        ),
    ),
]

APART = [
    (
        (
            "The South wins at Gettysburg",
            "Ewell takes Cemetery Hill on the first day.",
            "Richard Ewell",
            "Gettysburg, Pennsylvania",
            "1 July 1863",
        ),
        (
            "Lee takes command in Virginia earlier",
            "Johnston is killed at Manassas.",
            "Robert E. Lee",
            "Manassas, Virginia",
            "July 1861",
        ),
    ),
    (
        (
            "Archduke Maximilian keeps Mexico",
            "The French stay and the empire is saved.",
            "Maximilian",
            "Mexico",
            "1867",
        ),
        (
            "Mexico keeps California",
            "Santa Anna wins at Buena Vista.",
            "Santa Anna",
            "Mexico",
            "February 1847",
        ),
    ),
    (
        (
            "William of Normandy drowns on the way to England",
            "The fleet is scattered.",
            "William the Conqueror",
            "English Channel",
            "September 1066",
        ),
        (
            "England stays Danish",
            "Harthacnut lives to have sons.",
            "Harthacnut",
            "England",
            "June 1042",
        ),
    ),
    (
        (
            "Kennedy is not shot in Dallas",
            "Oswald's rifle jams.",
            "Lee Harvey Oswald",
            "Dallas, Texas",
            "22 November 1963",
        ),
        (
            "Robert Kennedy wins the primaries",
            "Sirhan is stopped in the kitchen.",
            "Robert Kennedy",
            "Los Angeles",
            "5 June 1968",
        ),
    ),
    (
        (
            "The Western Roman Empire takes Africa back in 468",
            "Basiliscus does not lose the fleet off Cape Bon.",
            "Basiliscus",
            "Carthage",
            "468",
        ),
        (
            "Carthage is not destroyed",
            "Cato loses the vote and there is no Third Punic War.",
            "Cato",
            "Carthage",
            "149 BC",
        ),
    ),
    (
        (
            "Henry VIII and Catherine have a son",
            "Henry, Duke of Cornwall, lives past infancy.",
            "Catherine of Aragon",
            "England",
            "1511",
        ),
        (
            "Henry VIII dies at the joust",
            "Anne Boleyn is regent for an unborn child.",
            "Henry VIII",
            "Greenwich",
            "24 January 1536",
        ),
    ),
    (
        (
            "Tokugawa loses at Sekigahara",
            "Kobayakawa does not change sides.",
            "Kobayakawa Hideaki",
            "Sekigahara",
            "21 October 1600",
        ),
        (
            "Japan stays open",
            "Tokugawa Iemitsu does not close the country.",
            "Tokugawa Iemitsu",
            "Japan",
            "1635",
        ),
    ),
    (
        (
            "The Aztecs drive Cortés into the sea",
            "Nobody gets out on the Night of Sorrows.",
            "Cuitláhuac",
            "Tenochtitlan",
            "30 June 1520",
        ),
        (
            "Cortés is arrested in Cuba",
            "Velázquez stops the expedition before it sails.",
            "Diego Velázquez",
            "Cuba",
            "November 1518",
        ),
    ),
    (
        (
            "Stalingrad is taken in a week",
            "The Sixth Army reaches the Volga with its flanks covered.",
            "Friedrich Paulus",
            "Stalingrad",
            "September 1942",
        ),
        (
            "Rommel reaches Alexandria",
            "The British line breaks at El Alamein.",
            "Erwin Rommel",
            "El Alamein, Egypt",
            "July 1942",
        ),
    ),
    (
        (
            "The Berlin Wall is never built",
            "Khrushchev says no to Ulbricht.",
            "Walter Ulbricht",
            "Berlin",
            "13 August 1961",
        ),
        (
            "The Berlin airlift fails",
            "The Western powers leave Berlin.",
            "Lucius Clay",
            "Berlin",
            "1948",
        ),
    ),
]

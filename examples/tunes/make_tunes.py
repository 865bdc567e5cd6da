#!/usr/bin/env python3
"""Forty public-domain tunes, notated for this project, and the Standard MIDI Files made from them.

    python3 make_tunes.py          write every .mid file and README.md beside this script
    python3 make_tunes.py --check  write nothing; fail unless the files on disk are what it would write

The notation is a small part of ABC. A tune is header lines, then strains.

    T: title              F: file name           O: origin          Y: why it is in the public domain
    K: key and mode       M: metre               Q: quarters per minute
    L: unit length        P: the strains in the order in which they are played

    [A]                   a strain: melody lines (m:) and, bar for bar, chord lines (c:)
    m: D | G2 B/G/ |      C is middle C, c the octave above, C, the octave below; ^ _ = sharpen, flatten, make natural
                          until the bar ends; 2, 3/2, / are lengths in units; A>B is dotted; z rests; - ties
    c: - | G . D7  |      a bar is shared out evenly among its chords; . holds the one before; - is silence

A bar may be short only where it meets another short one: the end of a strain and the pickup of the next fill one bar
together. A pickup that opens a tune is written as a full bar that begins with rests, a short last bar ends with them.
"""

import os
import re
import struct
import sys
from collections import namedtuple
from fractions import Fraction

PPQ = 480
LOWEST, HIGHEST = 36, 96
HERE = os.path.dirname(os.path.abspath(__file__))

TUNES = r"""
T: Greensleeves
F: greensleeves
O: England
Y: anonymous, registered in London in 1580
K: A minor
M: 6/8
Q: 150
L: 1/8
P: A a A b B B
[A]
m: A | c2d e>fe | d2B G>AB | c2A A>^GA | B2^G E2A |
c: - | Am       | G        | Am        | E        |
m: c2d e>fe | d2B G>AB | c>BA ^G>^F^G |
c: Am       | G        | Am E         |
[a]
m: A3 A2 |
c: Am    |
[b]
m: A6 |
c: Am |
[B]
m: g3 g>fe | d2B G>AB | c2A A>^GA    | B2^G E3 |
c: C       | G        | Am           | E       |
m: g3 g>fe | d2B G>AB | c>BA ^G>^F^G | A6 |
c: C       | G        | Am E         | Am |

T: Ah! vous dirai-je, maman (Twinkle, Twinkle, Little Star)
F: ah_vous_dirai_je
O: France
Y: anonymous, in print by 1774
K: C major
M: 4/4
Q: 108
L: 1/4
P: A B A
[A]
m: C C G G | A A G2 | F F E E | D D C2 |
c: C       | F C    | F C     | G7 C   |
[B]
m: G G F F | E E D2 | G G F F | E E D2 |
c: C F     | C G7   | C F     | C G7   |

T: Frère Jacques
F: frere_jacques
O: France
Y: anonymous, 18th century
K: F major
M: 4/4
Q: 120
L: 1/4
P: A A
[A]
m: F G A F | F G A F | A B c2 | A B c2 |
c: F       | F       | F      | F      |
m: c/d/c/B/ A F | c/d/c/B/ A F | F C F2   | F C F2   |
c: F            | F            | F C7 F . | F C7 F . |

T: Au clair de la lune
F: au_clair_de_la_lune
O: France
Y: anonymous, 18th century
K: G major
M: 4/4
Q: 112
L: 1/4
P: A A B A
[A]
m: G G G A | B2 A2 | G B A A | G4 |
c: G       | G D7  | G D7    | G  |
[B]
m: A A A A | E2 E2 | A G F E | D4 |
c: D       | Am    | D A7    | D  |

T: Auld Lang Syne
F: auld_lang_syne
O: Scotland
Y: anonymous tune, in print with Burns's words in 1799
K: F major
M: 4/4
Q: 96
L: 1/8
P: A B A B
[A]
m: C2 | F3F F2A2 | G3F G2A2 | F3F A2c2 | d6 d2 |
c: -  | F        | C7       | F        | Bb    |
m: c3A A2F2 | G3F G2A2 | F3D D2C2 | F6 |
c: F        | C7       | Bb C7    | F  |
[B]
m: d2 | c3A A2F2 | G3F G2d2 | c3A A2c2 | d6 d2 |
c: -  | F        | C7       | F        | Bb    |
m: c3A A2F2 | G3F G2A2 | F3D D2C2 | F6 |
c: F        | C7       | Bb C7    | F  |

T: Londonderry Air
F: londonderry_air
O: Ireland
Y: anonymous, collected by Jane Ross, printed by Petrie in 1855
K: F major
M: 4/4
Q: 76
L: 1/8
P: A B A B
[A]
m: EFG | A3G AdcA | GFD3 FAB | c3d cAFA | G5 EFG |
c: -   | F        | Bb       | F        | C      |
m: A3G AdcA | GFD3 EFG | A3B AGFG | F5 |
c: F        | Bb       | F C7     | F  |
[B]
m: cde | f3e edcd | cAF3 cde | f3e edcA | G5 ccc |
c: -   | Bb C7    | F        | Dm F     | C      |
m: a3g gfdf | cAF3 EFG | AdcA GFDE | F5 |
c: F Bb     | F        | F . Bb C7 | F  |

T: Amazing Grace (New Britain)
F: amazing_grace
O: USA
Y: anonymous shape-note tune, in print by 1829
K: G major
M: 3/4
Q: 84
L: 1/8
P: A A
[A]
m: D2 | G4 BG | B4 A2 | G4 E2 | D4 D2 | G4 BG | B4 A2  | d6- | d4 B2 |
c: -  | G     | G     | C     | G     | G     | Em     | D   | D7    |
m: d4 BG | B4 A2 | G4 E2 | D4 D2 | G4 BG | B4 A2  | G6- | G4 |
c: G     | G     | C     | G     | G     | G . D7 | G   | G  |

T: Drunken Sailor
F: drunken_sailor
O: sea shanty
Y: anonymous, sung since the early 19th century
K: D dorian
M: 4/4
Q: 184
L: 1/8
P: A B A B
[A]
m: A2AA A2AA | A2D2 F2A2 | G2GG G2GG | G2C2 E2G2 |
c: Dm        | Dm        | C         | C         |
m: A2AA A2AA | A2B2 c2d2 | c2A2 G2E2 | D4 D4 |
c: Dm        | Dm        | Am C      | Dm    |
[B]
m: A4 A4 | A2D2 F2A2 | G4 G4 | G2C2 E2G2 |
c: Dm    | Dm        | C     | C         |
m: A4 A4 | A2B2 c2d2 | c2A2 G2E2 | D4 D4 |
c: Dm    | Dm        | Am C      | Dm    |

T: Oh! Susanna
F: oh_susanna
O: USA
Y: Stephen Foster (1826-1864), published 1848
K: D major
M: 4/4
Q: 176
L: 1/8
P: A a A b B
[A]
m: DE | F2A2 A3B | A2F2 D3E | F2F2 E2D2 | E6 DE |
c: -  | D        | D        | D         | A7    |
m: F2A2 A3B | A2F2 D3E | F2F2 E2E2 |
c: D        | D        | D A7      |
[a]
m: D6 |
c: D  |
[b]
m: D8 |
c: D  |
[B]
m: G4 G4 | B2B4B2 | A2A2 F2D2 | E6 DE |
c: G     | G      | D         | A7    |
m: F2A2 A3B | A2F2 D3E | F2F2 E2E2 | D8 |
c: D        | D        | D A7      | D  |

T: Yankee Doodle
F: yankee_doodle
O: England and North America
Y: anonymous, 18th century
K: D major
M: 4/4
Q: 168
L: 1/4
P: A B A B
[A]
m: d d e f | d f e A | d d e f | d2 c2 | d d e f | g f e d | c A B c | d2 d2 |
c: D       | D A7    | D       | D A7  | D       | G       | A7      | D     |
[B]
m: B>c B A | B c d2 | A>B A G | F2 A2 | B>c B A | B c d B | A d c e | d2 d2 |
c: G       | G      | D       | D     | G       | G       | D A7    | D     |

T: When the Saints Go Marching In
F: when_the_saints
O: USA
Y: anonymous spiritual, 19th century
K: C major
M: 4/4
Q: 176
L: 1/4
P: A A
[A]
m: z C E F | G4 | z C E F | G4 | z C E F | G2 E2 | C2 E2 | D4 |
c: C       | C  | C       | C  | C       | C     | C     | G7 |
m: z E E D | C3 C | E2 G G | G F3- | F2 E F | G2 E2 | C2 D2 | C4 |
c: C       | C    | C7     | F     | F      | C     | C G7  | C  |

T: Sakura, sakura
F: sakura
O: Japan
Y: anonymous, Edo period, in print in 1888
K: D minor
M: 4/4
Q: 80
L: 1/4
P: A A
[A]
m: d d e2 | d d e2 | d e f e | d e/d/ B2 | A F A B | A A/F/ E2 |
c: Dm Am  | Dm Am  | Dm      | Dm Bb     | Dm      | Dm Am     |
m: d e f e | d e/d/ B2 | A F A B | A A/F/ E2 | d d e2 | d d e2 | A B e/d/ B | A4 |
c: Dm      | Dm Bb     | Dm      | Dm Am     | Dm Am  | Dm Am  | Bb         | Am |

T: Korobeiniki
F: korobeiniki
O: Russia
Y: traditional, words by Nekrasov 1861
K: A minor
M: 4/4
Q: 144
L: 1/4
P: A A B B
[A]
m: e B/c/ d c/B/ | A A/c/ e d/c/ | B>c d e | c A A2 |
c: E             | Am            | E7      | Am     |
[B]
m: d>f a g/f/ | e>c e d/c/ | B B/c/ d e | c A A2 |
c: Dm         | C          | E7         | Am     |

T: Hänschen klein
F: haenschen_klein
O: Germany
Y: anonymous, 18th century; words by Wiedemann (1821-1882)
K: C major
M: 4/4
Q: 120
L: 1/4
P: A B A B
[A]
m: G E E2 | F D D2 | C D E F | G G G2 | G E E2 | F D D2 | C E G G | C4 |
c: C      | G7     | C       | C G    | C      | G7     | C G7    | C  |
[B]
m: D D D D | D E F2 | E E E E | E F G2 | G E E2 | F D D2 | C E G G | C4 |
c: G7      | G7     | C       | C      | C      | G7     | C G7    | C  |

T: Alle Vögel sind schon da
F: alle_voegel
O: Germany
Y: anonymous, 18th century; words by Hoffmann von Fallersleben (1798-1874)
K: D major
M: 4/4
Q: 116
L: 1/8
P: A B A A B A
[A]
m: D3F A2d2 | B2dB A4 | G3A F2D2 | E4 D4 |
c: D        | G D     | A7 D     | A7 D  |
[B]
m: A2A2 G2G2 | F2AF E4 | A2A2 G2G2 | F2AF E4 |
c: D A7      | D A7    | D A7      | D A7    |

T: Stille Nacht (Silent Night)
F: stille_nacht
O: Austria
Y: Franz Xaver Gruber (1787-1863), 1818
K: C major
M: 6/8
Q: 84
L: 1/8
P: A A
[A]
m: G>AG E3 | G>AG E3 | d2d B3 | c2c G3 | A2A c>BA | G>AG E3 |
c: C       | C       | G7     | C      | F        | C       |
m: A2A c>BA | G>AG E3 | d2d f>dB | c3 e3 | cGE G>FD | C6 |
c: F        | C       | G7       | C     | C G7     | C  |

T: O Tannenbaum
F: o_tannenbaum
O: Germany
Y: anonymous, in print in 1799
K: F major
M: 3/4
Q: 108
L: 1/8
P: A B A A B A
[A]
m: C2 | F>F F2G2 | A>A A3A | GA B2E2 | G2 F2 |
c: -  | F . C7   | F       | Gm . C7 | C7 F . |
[B]
m: zc | cA d3c | c>B B3B | BG c3B | B>A A2 |
c: -  | F      | C7      | C7     | F      |

T: Good King Wenceslas (Tempus adest floridum)
F: good_king_wenceslas
O: Finland and Sweden
Y: anonymous, in Piae Cantiones, 1582
K: G major
M: 4/4
Q: 132
L: 1/4
P: A A B A A B
[A]
m: G G G A | G G D2 | E D E F | G2 G2 |
c: G . . D | G D    | C D7    | G     |
[B]
m: d c B A  | B A G2   | E D E F | G2 G2 | D D E F  |
c: G C G D7 | G D7 G . | C D7    | G     | G . C D7 |
m: G G A2 | d c B A  | G2 c2 | G4 |
c: G D    | G C G D7 | Em C  | G  |

T: Deck the Halls (Nos Galan)
F: deck_the_halls
O: Wales
Y: anonymous, 18th century
K: F major
M: 4/4
Q: 152
L: 1/8
P: A A B
[A]
m: c3B A2G2 | F2G2 A2F2 | GABG A3G | F2E2 F4  |
c: F        | F         | C7 F     | F C7 F . |
[B]
m: G3A B2G2 | A3B c2G2 | A=Bc2 def2 | e2d2 c4 | c3B A2G2 |
c: C7       | F C      | F          | C G7 C . | F       |
m: F2G2 A2F2 | dddd c3B | A2G2 F4  |
c: F         | Bb F     | F C7 F . |

T: The Irish Washerwoman
F: irish_washerwoman
O: Ireland
Y: anonymous jig, 18th century
K: G major
M: 6/8
Q: 168
L: 1/8
P: A A B B
[A]
m: d/c/ | BGG DGG | BGB dcB | cAA EAA | cAc edc | BGG DGG | BGB dcB | cBc Adc | BGG G2 |
c: -    | G       | G       | Am      | D7      | G       | G       | C D7    | G      |
[B]
m: d | gdg gdg | gdg bag | fdf fdf | fdf agf | egg dgg | cgg Bgg | cBc Adc | BGG G2 |
c: - | G       | G       | D7      | D7      | C G     | C G     | C D7    | G      |

T: The Swallowtail Jig
F: swallowtail_jig
O: Ireland
Y: anonymous jig, handed down since the 19th century
K: E dorian
M: 6/8
Q: 168
L: 1/8
P: A A B B
[A]
m: GEE BEE | GEG BAG | FDD ADD | dcd AGF | GEE BEE | GEG B2c | dcd AGF | GEE E3 |
c: Em      | Em      | D       | D       | Em      | Em      | D       | Em     |
[B]
m: Bcd e2f | e2f edB | Bcd e2f | edB d3 | Bcd e2f | e2f edB | dcd AGF | GEE E3 |
c: Em      | Em      | Em      | Em D   | Em      | Em      | D       | Em     |

T: The Kesh Jig
F: kesh_jig
O: Ireland
Y: anonymous jig, handed down since the 19th century
K: G major
M: 6/8
Q: 168
L: 1/8
P: A A B B
[A]
m: G3 GAB | A3 ABd | edd gdd | edB dBA | G3 GAB | A3 ABd | edd gdB | AGF G3 |
c: G      | D      | C G     | Em D    | G      | D      | C G     | D7 G   |
[B]
m: B3 dBd | ege dBG | B3 dBG | A3 AGA | B3 dBd | ege dBG | gfg aga | bgf g3 |
c: G      | C G     | G      | D      | G      | C G     | G D     | G      |

T: Drowsy Maggie
F: drowsy_maggie
O: Ireland
Y: anonymous reel, in O'Neill's Music of Ireland, 1903
K: E dorian
M: 4/4
Q: 184
L: 1/8
P: A A B A A B C
[A]
m: E2BE dEBE | E2BE AFDF | E2BE dEBE | BABc dAFD |
c: Em        | Em D      | Em        | Em D      |
[B]
m: d2fd c2ec | defg afge | d2fd c2ec | BABc dAFA |
c: D A       | D         | D A       | G D       |
m: d2fd c2ec | defg afge | afge fdec | BABc dAFD |
c: D A       | D         | D A       | G D       |
[C]
m: E8 |
c: Em |

T: Banish Misfortune
F: banish_misfortune
O: Ireland
Y: anonymous jig, in O'Neill's Music of Ireland, 1903
K: D mixolydian
M: 6/8
Q: 165
L: 1/8
P: A a A b B B C C
[A]
m: fed cAG | A2d cAG | F2D DED | FEF GFG | AGA cAG | AGA cde | fed cAG |
c: D C     | D C     | D       | D C     | Am C    | Am C    | D C     |
[a]
m: Ad^c d2e |
c: D        |
[b]
m: Ad^c d3 |
c: D       |
[B]
m: f2d d^cd | f2g agf | e2c cBc | e2f gfe | f2g agf | e2f gfe | fed cAG | Ad^c d3 |
c: D        | D       | C       | C       | D       | C       | D C     | D       |
[C]
m: f2g e2f | d2e c2d | ABA GAG | F2F GED | c3 cAG | AGA cde | fed cAG | Ad^c d3 |
c: D C     | G C     | D C     | D       | C      | Am C    | D C     | D       |

T: The Blarney Pilgrim
F: blarney_pilgrim
O: Ireland
Y: anonymous jig, in O'Neill's Music of Ireland, 1903
K: D mixolydian
M: 6/8
Q: 165
L: 1/8
P: A A B B C C
[A]
m: DED DEG | A2A ABc | BAG AGE | GEA GED | DED DEG | A2A ABc | BAG AGE | GED D3 |
c: G       | D       | G C     | C D     | G       | D       | G C     | C D    |
[B]
m: ded dBG | AGA BGE | ded dBG | AGA GBd | g2e dBG | AGA BGE | B2G AGE | GED D3 |
c: G       | D Em    | G       | D G     | C G     | D Em    | G C     | C D    |
[C]
m: A2D B2D | A2D ABc | BAG AGE | GEA GED | ADD BDD | ADD ABc | BAG AGE | GED D3 |
c: D G     | D       | G C     | C D     | D G     | D       | G C     | C D    |

T: Battle Hymn of the Republic (John Brown's Body)
F: battle_hymn
O: USA
Y: camp-meeting tune of the 1850s, in print in 1861
K: C major
M: 4/4
Q: 112
L: 1/8
P: A B
[A]
m: G/ | G>GG>F E>Gc>d | e>ee>d c2c>B | A>AA>B c>Bc>A | G>AG>E G2G>G |
c: -  | C             | C            | F             | C            |
m: G>GG>F E>Gc>d | e>ee>d c2c2 | d2d2 c2B2 | c6 z2 |
c: C             | C           | Dm G7     | C     |
[B]
m: G3F E>Gc>d | e4 c4 | A3B c>Bc>A | G4 E4 | G3F E>Gc>d | e4 c2c2 | d2d2 c2B2 | c8 |
c: C          | C     | F          | C     | C          | C       | Dm G7     | C  |

T: Ode to Joy
F: ode_to_joy
O: Germany and Austria
Y: Ludwig van Beethoven (1770-1827), 1824
K: G major
M: 4/4
Q: 126
L: 1/4
P: A B B
[A]
m: B B c d | d c B A | G G A B | B>A A2 | B B c d | d c B A | G G A B | A>G G2 |
c: G       | G D     | G       | G D    | G       | G D     | G       | D G    |
[B]
m: A A B G | A B/c/ B G | A B/c/ B A | G A D2   | B B c d | d c B A | G G A B | A>G G2 |
c: D G     | D G        | D          | Em A7 D . | G      | G D     | G       | D G    |

T: Mo li hua (Jasmine Flower)
F: mo_li_hua
O: China
Y: anonymous, 18th century, printed by Barrow in 1804
K: F major
M: 4/4
Q: 88
L: 1/8
P: A A
[A]
m: A2Ac dffd | c2cd c4 | A2Ac dffd | c2cd c4 | c2c2 c2Ac | d2d2 c4 | A2GA c2AG | F2FG F4 |
c: F Bb      | F       | F Bb      | F       | F         | Bb F    | F C       | F       |
m: AGFA G3A | c2df c4 | G2Ac GAFD | C4 D2F2 | G3A FGFD | C8 |
c: F C      | F       | C Dm      | F Bb    | C Dm     | F  |

T: The Bluebells of Scotland
F: bluebells_of_scotland
O: Scotland
Y: anonymous, in print about 1801
K: D major
M: 4/4
Q: 116
L: 1/8
P: A B A B
[A]
m: A2 | d4 c2B2 | A4 B2cd | F2F2 G2E2 | D6 A2 | d4 c2B2 | A4 B2cd | F2F2 G2E2 | D6 |
c: -  | D G     | D G     | D A7      | D     | D G     | D G     | D A7      | D  |
[B]
m: A2 | F2D2 F2A2 | d4 B2cd | c2A2 B2^G2 | A4 B2c2 | d4 c2B2 | A4 B2cd | F2F2 G2E2 | D6 |
c: -  | D         | D G     | A E7       | A A7    | D G     | D G     | D A7      | D  |

T: My Bonnie Lies over the Ocean
F: my_bonnie
O: Scotland
Y: anonymous, in print by 1882
K: C major
M: 3/4
Q: 138
L: 1/4
P: A B
[A]
m: G | e d c | d c A | G2 E- | E2 G | e d c | c B c | d3- | d2 G |
c: - | C     | F     | C     | C    | C     | D7    | G   | G7   |
m: e d c | d c A | G2 E- | E2 G | A d c | B A B | c3- | c3 |
c: C     | F     | C     | C    | Dm    | G7    | C   | C  |
[B]
m: G3 | c3 | A3 | d2 d | B2 B | B A B | c2 d | e3 | G3 | c3 | A3 | d2 d | B2 B | B A B | c3- | c3 |
c: C  | C  | F  | Dm   | G7   | G7    | C    | C  | C  | C  | F  | Dm   | G7   | G7    | C   | C  |

T: Old Hundredth
F: old_hundredth
O: Geneva
Y: Loys Bourgeois (about 1510-1559), Genevan Psalter, 1551
K: G major
M: 4/4
Q: 92
L: 1/4
P: A A
[A]
m: G | G F E D   | G A B B | B B A G | c B A G | A B A G  | E F G d | B G A c   | B A G    |
c: - | G D Em Bm | G D G . | G . D G | C G D G | D G D Em | C D G . | G Em D Am | G D7 G . |

T: Joy to the World (Antioch)
F: joy_to_the_world
O: USA
Y: arranged after Handel by Lowell Mason (1792-1872), 1839
K: D major
M: 2/4
Q: 104
L: 1/8
P: A A
[A]
m: d2c>B | A3G | F2E2 | D3A | B3B | c3c | d3d | dcBA | A>GFd | dcBA |
c: D     | D   | D A7 | D   | G   | A7  | D   | D    | D     | D    |
m: A>GFF | FFFF/G/ | A3G/F/ | EEEE/F/ | G3F/E/ | Dd2B | A>GFG | F2E2 | D4 |
c: D     | D       | D      | A7      | A7     | D G  | D     | D A7 | D  |

T: Branle de l'Official (Ding Dong Merrily on High)
F: branle_de_l_official
O: France
Y: Thoinot Arbeau's Orchésographie, 1589
K: G major
M: 4/4
Q: 152
L: 1/4
P: A A B B
[A]
m: G G A/G/F/E/ | D3 D | E G G F  | G2 G2 |
c: G            | D    | C G . D7 | G     |
[B]
m: d>c B/c/d/B/ | c>B A/B/c/A/ | B>A G/A/B/G/ | A>G F/G/A/F/ |
c: G            | Am           | G            | D            |
m: G>F E/F/G/E/ | F>E D D | E G G F  | G2 G2 |
c: Em           | D       | C G . D7 | G     |

T: Jingle Bells
F: jingle_bells
O: USA
Y: James Lord Pierpont (1822-1893), published 1857; refrain as sung since the 1890s
K: G major
M: 4/4
Q: 176
L: 1/4
P: A B
[A]
m: D B A G | D3 D/D/ | D B A G | E4 | E c B A | F4 | d d c A | B4 |
c: G       | G       | G       | C  | Am      | D7 | D7      | G  |
m: D B A G | D4 | D B A G | E3 E | E c B A | d d d d | e d c A | G2 d2 |
c: G       | G  | G       | C    | Am      | D7      | D7      | G D7  |
[B]
m: B B B2 | B B B2 | B d G>A | B4 | c c c>c | c B B B/B/ | B A A B | A2 d2 |
c: G      | G      | G       | G  | C       | G          | A7      | D7    |
m: B B B2 | B B B2 | B d G>A | B4 | c c c>c | c B B B/B/ | d d c A | G4 |
c: G      | G      | G       | G  | C       | G          | D7      | G  |

T: O du lieber Augustin
F: o_du_lieber_augustin
O: Austria
Y: anonymous, 18th century
K: F major
M: 3/4
Q: 144
L: 1/4
P: A B A B
[A]
m: c>d c/B/ | A F F | G C C | A F F | c>d c/B/ | A F F | G2 C | F3 |
c: F        | F     | C7    | F     | F        | F     | C7   | F  |
[B]
m: G C C | A F F | G C C | A F F | c>d c/B/ | A F F | G2 C | F3 |
c: C7    | F     | C7    | F     | F        | F     | C7   | F  |

T: Adeste fideles (O Come, All Ye Faithful)
F: adeste_fideles
O: England and Portugal
Y: attributed to John Francis Wade (1711-1786), about 1743
K: G major
M: 4/4
Q: 108
L: 1/4
P: A A
[A]
m: G | G2 D G | A2 D2 | B A B c | B2 A G  | G2 F E   | F G A B | F2 E>D | D4 |
c: - | G      | D     | G D G C | G . D G | Em . A7 . | D G D G | D A7   | D  |
m: d2 c B | c2 B2 | A B G A | F>E D G | G F G A | G2 D B |
c: G      | C G   | D G C D | D . . G | G D G D | G      |
m: B A B c  | B2 A B  | c B A G  | F2 G c  | B2 A>G | G3 |
c: G D G D7 | G . D G | C G D Em | D . G C | G D7   | G  |

T: Les anges dans nos campagnes (Angels We Have Heard on High)
F: les_anges
O: France
Y: anonymous, in print by 1855
K: F major
M: 4/4
Q: 126
L: 1/8
P: A A B
[A]
m: A2A2 A2c2 | c3B A4 | A2G2 A2c2 | A3G F4 |
c: F         | F      | F C F .   | F      |
[B]
m: c4 dcBA | B4 cBAG | A4 BAGF | G3C C4 | F2G2 A2B2 | A4 G4 |
c: F       | Gm C7   | F Dm    | C7     | F C F Bb  | F C   |
m: c4 dcBA | B4 cBAG | A4 BAGF | G3C C4 | F2G2 A2B2 | A4 G4 | F8 |
c: F       | Gm C7   | F Dm    | C7     | F C F Bb  | F C   | F  |

T: Oh My Darling, Clementine
F: clementine
O: USA
Y: Percy Montrose, published 1884
K: F major
M: 3/4
Q: 120
L: 1/8
P: A A
[A]
m: F>F | F2C2 A>A | A2F2 F>A | c2c2 B>A | G4 G>A | B2B2 A>G | A2F2 F>A | G2C2 E>G | F4 |
c: -   | F        | F        | F        | C7     | C7       | F        | C7       | F  |

T: Michael, Row the Boat Ashore
F: michael_row_the_boat
O: USA
Y: anonymous spiritual, in Slave Songs of the United States, 1867
K: D major
M: 4/4
Q: 120
L: 1/8
P: A A
[A]
m: D2F2 | A3F A2B2 | A4 F2A2 | B8 | A4 F2A2 | A3F G2F2 | E4 D2E2 | F4 E4 | D4 |
c: -    | D        | D       | G  | D       | D G      | A7       | D A7  | D  |

T: Skip to My Lou
F: skip_to_my_lou
O: USA
Y: anonymous play-party song, 19th century
K: G major
M: 4/4
Q: 152
L: 1/4
P: A B A B
[A]
m: B B G G | B B/B/ d2 | A A F F | A A/A/ c2 | B B G G | B B/B/ d2 | A B/c/ B A | G2 G2 |
c: G       | G         | D7      | D7        | G       | G         | D7         | G     |
[B]
m: B2 G2 | B B/B/ d2 | A2 F2 | A A/A/ c2 | B2 G2 | B B/B/ d2 | A B/c/ B A | G2 G2 |
c: G     | G         | D7    | D7        | G     | G         | D7         | G     |
"""

README_HEAD = """# Tunes to learn from

Forty traditional and public-domain tunes, notated for this project, as Standard MIDI Files: the material of
`examples/melody.c` and of the demo. Each is played in full with its usual repeats: the melody on track 1 (channel 1),
a chord for every bar or part of a bar, close together in the octave below middle C, on track 2 (channel 2).
480 ticks per quarter note; every bar is full, a pickup is a bar that begins with rests.

`make_tunes.py` is the source: a small text notation of every tune, and the program that checks it (bar lengths, chords
bar for bar, range) and writes the `.mid` files and this page. It needs Python 3 and nothing else.

    python3 make_tunes.py          # after a change: write the files anew
    python3 make_tunes.py --check  # are the files what the script writes?

MIDI names major and minor keys only: a modal tune carries the key signature of the major or minor key on its tonic.

| file | title | origin | key | metre | bars | notes | public domain because |
|---|---|---|---|---|---|---|---|
"""

Tune = namedtuple("Tune", "name title origin reason tonic mode metre bar_ticks tempo melody chords bars")
Note = namedtuple("Note", "start length pitch")

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SIGNS = {"^": 1, "_": -1, "=": 0}
FIFTHS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F": -1}
MODE_FIFTHS = {"major": 0, "mixolydian": -1, "dorian": -2, "minor": -3}
MODE_SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 8, 10),
}
CHORD_KINDS = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 10)}
TOKEN = re.compile(r"\s*([_^=]?)([A-Ga-gz])([,']*)(\d*)(/?)(\d*)(-?)([>]?)")


class NotationError(Exception):
    pass


def key_signature(fifths):
    """The alteration of each letter under a signature of so many sharps, or of so many flats below nought."""
    letters = "FCGDAEB"
    sharps = {letter: 1 for letter in letters[:max(fifths, 0)]}
    flats = {letter: -1 for letter in letters[7 + min(fifths, 0):]}
    return {**sharps, **flats}


def parse_bar(text, unit, signature):
    """The notes of one bar as (pitch or None, ticks, tied to the next)."""
    found, altered, position, factor = [], {}, 0, Fraction(1)
    text = text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise NotationError(f"cannot read {text[position:]!r}")
        position = match.end()
        sign, letter, octaves, above, slash, below, tie, dotted = match.groups()
        length = unit * int(above or 1) * factor
        if slash:
            length /= int(below or 2)
        factor = Fraction(1)
        if dotted:
            length, factor = length * Fraction(3, 2), Fraction(1, 2)
        ticks = length * 4 * PPQ
        if ticks.denominator != 1:
            raise NotationError(f"a length of {ticks} ticks in {text!r}")
        if letter == "z":
            found.append((None, int(ticks), False))
            continue
        place = letter + octaves
        if sign:
            altered[place] = SIGNS[sign]
        shift = altered.get(place, signature.get(letter.upper(), 0))
        octave = 60 + (12 if letter.islower() else 0) + 12 * octaves.count("'") - 12 * octaves.count(",")
        found.append((octave + STEPS[letter.upper()] + shift, int(ticks), bool(tie)))
    return found


def split_bars(line):
    return [bar.strip() for bar in line.strip().strip("|").split("|")]


def length_of(bar):
    return sum(ticks for _, ticks, _ in bar)


def fill_bars(pairs, bar_ticks):
    """Joins what two strains share of a bar and pads the first and the last one: full bars, or an error."""
    filled, index = [], 0
    while index < len(pairs):
        bar, chords = pairs[index]
        missing = bar_ticks - length_of(bar)
        following = pairs[index + 1] if index + 1 < len(pairs) else None
        if missing == 0:
            filled.append((bar, chords))
        elif missing > 0 and index == 0:
            filled.append(([(None, missing, False)] + bar, chords))
        elif missing > 0 and following is None:
            filled.append((bar + [(None, missing, False)], chords))
        elif missing > 0 and length_of(following[0]) == missing:
            if following[1] != "-":
                raise NotationError(f"a pickup with the chord {following[1]!r} of its own")
            filled.append((bar + following[0], chords))
            index += 1
        else:
            wrong = f"{missing} ticks too short" if missing > 0 else f"{-missing} ticks too long"
            raise NotationError(f"bar {index + 1} is {wrong}")
        index += 1
    return filled


def place_notes(bars):
    """Notes with their times; tied notes become one."""
    notes, time, open_tie = [], 0, False
    for bar in bars:
        for pitch, ticks, tied in bar:
            if open_tie:
                if not notes or notes[-1].pitch != pitch:
                    raise NotationError("a tie to another pitch")
                notes[-1] = notes[-1]._replace(length=notes[-1].length + ticks)
            elif pitch is not None:
                notes.append(Note(time, ticks, pitch))
            open_tie = tied
            time += ticks
    if open_tie:
        raise NotationError("a tie to nothing")
    return notes


def chord_pitches(symbol):
    """A triad (of a seventh chord root, third and seventh) folded into the octave below middle C."""
    match = re.fullmatch(r"([A-G])([b#]?)(m?|7)", symbol)
    if not match:
        raise NotationError(f"no such chord: {symbol!r}")
    root = STEPS[match[1]] + {"": 0, "b": -1, "#": 1}[match[2]]
    return sorted(48 + (root + interval) % 12 for interval in CHORD_KINDS[match[3]])


def place_chords(bars, bar_ticks):
    notes = []
    for index, text in enumerate(bars):
        slots = text.split()
        if not slots or bar_ticks % len(slots):
            raise NotationError(f"bar {index + 1} cannot hold the chords {text!r}")
        width, slot = bar_ticks // len(slots), 0
        while slot < len(slots):
            held = 1
            while slot + held < len(slots) and slots[slot + held] == ".":
                held += 1
            if slots[slot] != "-":
                for pitch in chord_pitches(slots[slot]):
                    notes.append(Note(index * bar_ticks + slot * width, held * width, pitch))
            slot += held
    return notes


def parse_tune(block):
    fields, strains, current = {}, {}, None
    for line in block.strip().splitlines():
        if line.startswith("["):
            current = strains.setdefault(line.strip("[] "), ([], []))
        else:
            name, value = line.split(":", 1)
            if name == "m":
                current[0].append(split_bars(value))
            elif name == "c":
                current[1].append(split_bars(value))
                if len(current[1][-1]) != len(current[0][-1]):
                    raise NotationError(f"{len(current[0][-1])} bars of melody, {len(current[1][-1])} of chords: {line}")
            else:
                fields[name] = value.strip()
    tonic, mode = fields["K"].split()
    beats, beat = map(int, fields["M"].split("/"))
    bar_ticks = beats * 4 * PPQ // beat
    unit, signature = Fraction(fields["L"]), key_signature(FIFTHS[tonic] + MODE_FIFTHS[mode])
    pairs = []
    for label in fields["P"].split():
        melody, chords = strains[label]
        if len(melody) != len(chords):
            raise NotationError(f"strain {label} has {len(melody)} lines of melody and {len(chords)} of chords")
        for bar, chord in zip(sum(melody, []), sum(chords, [])):
            pairs.append((parse_bar(bar, unit, signature), chord))
    bars = fill_bars(pairs, bar_ticks)
    for number, (bar, _) in enumerate(bars, 1):
        if length_of(bar) != bar_ticks:
            raise NotationError(f"bar {number} has {length_of(bar)} ticks, not {bar_ticks}")
    melody = place_notes([bar for bar, _ in bars])
    chords = place_chords([chord for _, chord in bars], bar_ticks)
    for note in melody + chords:
        if not LOWEST <= note.pitch <= HIGHEST:
            raise NotationError(f"pitch {note.pitch} is out of range")
        if note.start + note.length > len(bars) * bar_ticks:
            raise NotationError("a note ends after the last bar")
    return Tune(fields["F"], fields["T"], fields["O"], fields["Y"], tonic, mode, (beats, beat), bar_ticks,
                int(fields["Q"]), melody, chords, len(bars))


def quantity(value):
    """A variable-length quantity."""
    data = [value & 0x7F]
    while value := value >> 7:
        data.append(0x80 | value & 0x7F)
    return bytes(reversed(data))


def meta(kind, data):
    return bytes([0xFF, kind]) + quantity(len(data)) + data


def track(events, end):
    """One track of (time, order, bytes); the end of track stands at the end of the last bar."""
    data, now = b"", 0
    for time, _, event in sorted(events, key=lambda event: event[:2]):
        data += quantity(time - now) + event
        now = time
    data += quantity(end - now) + meta(0x2F, b"")
    return b"MTrk" + struct.pack(">I", len(data)) + data


def note_events(notes, channel, velocity):
    events = []
    for note in notes:
        events.append((note.start, 2, bytes([0x90 | channel, note.pitch, velocity(note)])))
        events.append((note.start + note.length, 1, bytes([0x80 | channel, note.pitch, 64])))
    return events


def smf(tune):
    end = tune.bars * tune.bar_ticks
    beats, beat = tune.metre
    compound = beat == 8 and beats % 3 == 0
    minor = tune.mode in ("minor", "dorian")
    fifths = FIFTHS[tune.tonic] - (3 if minor else 0)
    conductor = [
        (0, 0, meta(0x03, tune.title.encode("utf-8"))),
        (0, 0, meta(0x58, bytes([beats, beat.bit_length() - 1, 36 if compound else 96 // beat, 8]))),
        (0, 0, meta(0x59, struct.pack("bB", fifths, minor))),
        (0, 0, meta(0x51, round(60_000_000 / tune.tempo).to_bytes(3, "big"))),
    ]
    melody = [(0, 0, meta(0x03, b"Melody")), (0, 0, bytes([0xC0, 73]))]
    melody += note_events(tune.melody, 0, lambda note: 80 if note.start % tune.bar_ticks else 92)
    chords = [(0, 0, meta(0x03, b"Chords")), (0, 0, bytes([0xC1, 24]))]
    chords += note_events(tune.chords, 1, lambda note: 56 if note.start % tune.bar_ticks else 62)
    tracks = [track(events, end) for events in (conductor, melody, chords)]
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), PPQ) + b"".join(tracks)


def readme(tunes):
    rows = []
    for tune in tunes:
        notes = len(tune.melody) + len(tune.chords)
        rows.append(f"| [{tune.name}.mid]({tune.name}.mid) | {tune.title} | {tune.origin} | {tune.tonic} {tune.mode} "
                    f"| {tune.metre[0]}/{tune.metre[1]} | {tune.bars} | {notes} | {tune.reason} |\n")
    melody, chords = sum(len(tune.melody) for tune in tunes), sum(len(tune.chords) for tune in tunes)
    total = (f"\n{len(tunes)} tunes, {sum(tune.bars for tune in tunes)} bars, {melody} melody notes and "
             f"{chords} chord notes.\n")
    return README_HEAD + "".join(rows) + total


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit("usage: make_tunes.py [--check]")
    tunes = []
    for block in re.split(r"\n(?=T:)", TUNES.strip()):
        try:
            tunes.append(parse_tune(block))
        except NotationError as error:
            sys.exit(f"{block.splitlines()[0]}: {error}")
    files = {tune.name + ".mid": smf(tune) for tune in tunes}
    if len(files) != len(tunes):
        sys.exit("two tunes have the same file name")
    files["README.md"] = readme(tunes).encode("utf-8")
    differing = 0
    for name, data in files.items():
        path = os.path.join(HERE, name)
        if arguments:
            same = False
            if os.path.exists(path):
                with open(path, "rb") as file:
                    same = file.read() == data
            differing += not same
            print(f"{name}: {'as written' if same else 'differs'}", file=sys.stdout if same else sys.stderr)
        else:
            with open(path, "wb") as file:
                file.write(data)
    for tune in tunes:
        scale = {(STEPS[tune.tonic] + step) % 12 for step in MODE_SCALES[tune.mode]}
        inside = sum(note.pitch % 12 in scale for note in tune.melody)
        print(f"{tune.name:24} {tune.bars:4} bars {len(tune.melody):4} melody notes {len(tune.chords):4} chord notes "
              f"{100 * inside / len(tune.melody):5.1f} % in {tune.tonic} {tune.mode}")
    print(f"{len(tunes)} tunes, {sum(len(t.melody) for t in tunes)} melody notes, "
          f"{sum(len(t.chords) for t in tunes)} chord notes")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main(sys.argv[1:])

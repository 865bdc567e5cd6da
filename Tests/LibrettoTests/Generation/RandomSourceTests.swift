import Testing

@testable import Libretto

/// Reference values from the authors' algorithm (prng.di.unimi.it), written out in Python.
@Suite struct RandomSourceTests {
  @Test func theSequenceOfItsAuthors() {
    var random = RandomSource(words: (1, 2, 3, 4))!
    let wanted: [UInt64] = [
      11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
      607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
      10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
    ]
    #expect(wanted.map { _ in random.next() } == wanted)
  }

  @Test(
    arguments: [
      (
        0,
        [
          0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f,
          0xf88b_b8a8_724c_81ec,
        ],
        [0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0], 0x7aac_8c48_3a2e_dd2f
      ),
      (
        1,
        [
          0x910a_2dec_8902_5cc1, 0xbeeb_8da1_658e_ec67, 0xf893_a2ee_fb32_555e,
          0x71c1_8690_ee42_c90b,
        ],
        [0xb3f2_af6d_0fc7_10c5, 0x853b_5596_4736_4cea, 0x92f8_9756_082a_4514], 0xb851_7c33_c344_d153
      ),
      (
        UInt64.max,
        [
          0xe4d9_7177_1b65_2c20, 0xe99f_f867_dbf6_82c9, 0x382f_f84c_b272_81e9,
          0x6d1d_b36c_cba9_82d2,
        ],
        [0x8f55_20d5_2a7e_ad08, 0xc476_a018_caa1_802d, 0x81de_31c0_d260_469e], 0xc3c9_3ea5_cde4_34cc
      ),
    ] as [(UInt64, [UInt64], [UInt64], UInt64)])
  func seeding(seed: UInt64, words: [UInt64], first: [UInt64], thousandth: UInt64) {
    var random = RandomSource(seed: seed)
    #expect([random.words.0, random.words.1, random.words.2, random.words.3] == words)
    #expect(first.map { _ in random.next() } == first)
    for _ in 3..<999 { _ = random.next() }
    #expect(random.next() == thousandth)
  }

  @Test func theStateThatCannotBeLeftIsRefused() {
    #expect(RandomSource(words: (0, 0, 0, 0)) == nil)
    #expect(RandomSource(words: (0, 0, 0, 1)) != nil)
  }

  @Test func aStateGoesOn() {
    var random = RandomSource(seed: 9)
    for _ in 0..<10 { _ = random.next() }
    var other = RandomSource(words: random.words)!
    #expect(other == random)
    #expect((0..<10).map { _ in other.next() } == (0..<10).map { _ in random.next() })
  }

  @Test func unitsAreUniformAndBelowOne() {
    var random = RandomSource(seed: 10)
    var counts = [Int](repeating: 0, count: 64)
    let draws = 64_000
    for _ in 0..<draws {
      let x = random.unit()
      #expect(x >= 0 && x < 1)
      counts[Int(x * 64)] += 1
    }
    let expected = Double(draws) / 64
    let square = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
    // Chi-square of 63 degrees of freedom: beyond these once in ten thousand.
    #expect((28...113).contains(square / expected))
    // The largest value there is, from the top 24 bits.
    #expect(Float(UInt64.max >> 40) * 0x1p-24 < 1)
  }
}

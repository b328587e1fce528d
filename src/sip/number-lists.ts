/**
 * Numbers that a test never calls. docs/sip.md shows these lists to users; they err on the side of
 * refusing, and cannot be complete: the list of permitted hosts is what protects first.
 */

/** Emergency and crisis numbers, wherever they are in force. */
export const EMERGENCY_NUMBERS: ReadonlySet<string> = new Set([
  // The EU and most of the world; North America; Britain and many Commonwealth countries; Australia.
  "112",
  "911",
  "999",
  "000",
  // Police, fire and ambulance of Germany, China, Japan, Italy, Korea, Switzerland, New Zealand, …
  "110",
  "111",
  "113",
  "114",
  "115",
  "116",
  "117",
  "118",
  "119",
  // Singapore's ambulance; the North American crisis line.
  "995",
  "988",
]);

/**
 * Emergency numbers of some countries that are common extensions in test exchanges. Called only
 * where the list of permitted hosts names the very user part.
 */
export const EMERGENCY_ELSEWHERE: ReadonlySet<string> = new Set(
  `01 02 03 04 08 15 17 18
   100 101 102 103 104 105 106 107 108 109
   120 121 122 123 125 126 127 128 129 130 131 132 133 140 144 147 150 151 155 156 158 159
   160 161 166 171 180 185 188 190 191 192 193 194 195 196 197 198 199
   912 913 914 933 990 991 992 993 994 996 997 998`.split(/\s+/u),
);

/** International numbers (without "+") that begin like this cost more than a call should. */
export const COUNTRY_PREMIUM_PREFIXES: readonly string[] = [
  // International premium rate; satellites and global networks, at several euros a minute.
  "979 870 878 881 882 883",
  // North America.
  "1900",
  // Europe.
  "3090 31900 31906 31909 3290 3389 34803 34806 34807 34905 34907",
  "351607 351608 351760 351761 351762 358600 358700 35990 3690 3691",
  "370900 37190 372900 380900 38560 38690",
  "39144 39166 39892 39894 39895 39899 40900 40903 40906 4190",
  "42090 421900 43900 43901 43930 43931 43939",
  "449 4470 44871 44872 44873 4590 46900 46939 46944",
  "47820 47829 4870 49900 49190 49137 49118 90900",
  // Elsewhere.
  "20900 52900 54600 55900 56700 58900 60600 61190 62809 64900",
  "651900 661900 7809 81990 841900 852900 886204 966700 971900 9721900",
].flatMap((line) => line.split(" "));

/** International numbers that a prefix does not describe. */
export const PREMIUM_PATTERNS: readonly RegExp[] = [
  // The 976 exchanges of North America.
  /^1[2-9]\d{2}976\d{4}$/u,
  // Ireland; shorter, they are Dublin's.
  /^35315\d{8}$/u,
];

/**
 * Numbers without country code that are premium somewhere. Where that hits an ordinary number of
 * your country, its international form is not mistaken.
 */
export const NATIONAL_PREMIUM_PATTERNS: readonly RegExp[] = [
  // Germany, Austria, Switzerland, the Netherlands, Belgium, Britain, Sweden, Turkey, …
  /^090\d{2,}$/u,
  /^0190\d{3,}$/u,
  /^0137\d{3,}$/u,
  /^0(?:600|700)\d{3,}$/u,
  // North America, with and without "1".
  /^1?900[2-9]\d{6}$/u,
  /^1?[2-9]\d{2}976\d{4}$/u,
  /^976\d{4}$/u,
  // Australia; Ireland; Spain; Italy.
  /^190\d{5,}$/u,
  /^15\d{8}$/u,
  /^(?:80[367]|90[57])\d{6}$/u,
  /^89[2459]\d{3,7}$/u,
  // Directory inquiries, and Europe's helplines, which are there for those who need help.
  /^118\d{2,3}$/u,
  /^116\d{3}$/u,
];

/**
 * The assortment. Ids and category names stand here once and are used everywhere:
 * the tracker matches views, carts and purchases by them, letter for letter.
 */

export const CURRENCY = 'UAH';

/** @typedef {{key: string, name: string, lead: string, season: string[], image: string}} Category */

/** @type {Category[]} */
export const categories = [
  {
    key: 'tents',
    name: 'Tents',
    lead: 'Roofs that stand up to a night of ridge wind and still pack down to the size of a loaf.',
    season: ['spring', 'summer', 'autumn'],
    image: 'tent-2p',
  },
  {
    key: 'sleeping',
    name: 'Sleeping bags and mats',
    lead: 'Warmth you can count on, with comfort temperatures tested the honest way.',
    season: ['all-year'],
    image: 'bag-down',
  },
  {
    key: 'backpacks',
    name: 'Backpacks',
    lead: 'From a day on the meadow to two weeks on the main ridge.',
    season: ['all-year'],
    image: 'pack-55',
  },
  {
    key: 'kitchen',
    name: 'Camp kitchen',
    lead: 'Hot soup in four minutes, clean water anywhere, and a mug worth carrying.',
    season: ['all-year'],
    image: 'stove-g',
  },
];

/**
 * @typedef {{id: string, name: string, category: string, price: number, oldPrice?: number, stock: number,
 *   image: string, brief: string, text: string, facts: [string, string][], likes: string[]}} Product
 */

/** @type {Product[]} */
export const products = [
  {
    id: 'TENT-1P',
    name: 'Solo 1',
    category: 'tents',
    price: 6490,
    stock: 7,
    image: 'tent-1p',
    brief: 'Ridge tent for one, pitched with a trekking pole',
    text: 'A ridge tent for people who walk alone and count grams. One trekking pole holds it up, six pegs '
      + 'hold it down, and the low foot end lets the wind pass over rather than through.',
    facts: [['Weight', '1.1 kg'], ['Packed size', '30 × 12 cm'], ['Fly', 'Silicone nylon, 3 000 mm'], ['Seasons', 'Three']],
    likes: ['MAT-AIR', 'BAG-DOWN', 'PACK-55', 'STOVE-G'],
  },
  {
    id: 'TENT-2P',
    name: 'Duo 2',
    category: 'tents',
    price: 8990,
    stock: 12,
    image: 'tent-2p',
    brief: 'Free-standing dome for two, with two doors',
    text: 'Our most loved tent. Two doors mean nobody climbs over anybody at night, and the crossed poles '
      + 'keep the dome standing on rock, sand or a wooden platform where pegs find no hold.',
    facts: [['Weight', '1.9 kg'], ['Packed size', '42 × 15 cm'], ['Fly', 'Polyester, 3 000 mm'], ['Seasons', 'Three']],
    likes: ['MAT-AIR', 'BAG-SUM', 'TARP-3X3', 'POT-2'],
  },
  {
    id: 'TENT-4P',
    name: 'Family 4',
    category: 'tents',
    price: 11490,
    oldPrice: 13200,
    stock: 4,
    image: 'tent-4p',
    brief: 'Tunnel tent for four, with standing height',
    text: 'Room for two adults, two children and everything that gets wet. The front is high enough to stand '
      + 'in, the bedroom is dark until eight in the morning, and the poles are colour-coded.',
    facts: [['Weight', '6.4 kg'], ['Packed size', '60 × 24 cm'], ['Fly', 'Polyester, 4 000 mm'], ['Seasons', 'Three']],
    likes: ['BAG-SUM', 'MAT-AIR', 'POT-2', 'DRY-20'],
  },
  {
    id: 'TARP-3X3',
    name: 'Roof tarp 3 × 3',
    category: 'tents',
    price: 2190,
    stock: 18,
    image: 'tarp-3x3',
    brief: 'A square roof with sixteen loops',
    text: 'Sixteen reinforced loops and a few knots turn this square into a porch, a kitchen or a whole '
      + 'shelter. Poles are not included: two trees or two trekking poles will do.',
    facts: [['Weight', '620 g'], ['Size', '3 × 3 m'], ['Fabric', 'Ripstop polyester, 2 000 mm'], ['Loops', '16']],
    likes: ['TENT-1P', 'STOVE-G', 'BAG-SUM', 'DRY-20'],
  },
  {
    id: 'BAG-DOWN',
    name: 'Ridge −7 down bag',
    category: 'sleeping',
    price: 9290,
    stock: 5,
    image: 'bag-down',
    brief: 'Mummy bag with traceable duck down',
    text: 'Warm to minus seven in comfort and lighter than a litre of water. The collar closes without '
      + 'strangling, and the zip runs along a stiff tape so that it does not eat the lining.',
    facts: [['Weight', '980 g'], ['Comfort', '−7 °C'], ['Filling', '700 cuin duck down'], ['Height', 'Up to 190 cm']],
    likes: ['MAT-AIR', 'TENT-1P', 'DRY-20', 'MUG-T'],
  },
  {
    id: 'BAG-SUM',
    name: 'Meadow +8 bag',
    category: 'sleeping',
    price: 3190,
    oldPrice: 3690,
    stock: 21,
    image: 'bag-sum',
    brief: 'Roomy synthetic bag that opens into a blanket',
    text: 'For warm nights, huts and sofas. It opens flat into a blanket, two of them zip together, and it '
      + 'survives the washing machine.',
    facts: [['Weight', '1.1 kg'], ['Comfort', '+8 °C'], ['Filling', 'Hollow fibre'], ['Height', 'Up to 195 cm']],
    likes: ['TENT-2P', 'MAT-AIR', 'PACK-28', 'MUG-T'],
  },
  {
    id: 'MAT-AIR',
    name: 'Cloud 7 air mat',
    category: 'sleeping',
    price: 3690,
    stock: 9,
    image: 'mat-air',
    brief: 'Seven centimetres of insulated comfort',
    text: 'Seven centimetres keep a side sleeper off the stones, and a reflective layer keeps the cold in the '
      + 'ground. The sack is the pump: no dizzy evenings.',
    facts: [['Weight', '510 g'], ['Insulation', 'R 4.1'], ['Size', '183 × 55 × 7 cm'], ['Packed size', '24 × 11 cm']],
    likes: ['BAG-DOWN', 'TENT-2P', 'BAG-SUM', 'PACK-55'],
  },
  {
    id: 'PACK-28',
    name: 'Daylight 28',
    category: 'backpacks',
    price: 3290,
    stock: 15,
    image: 'pack-28',
    brief: 'Day pack with a real hip belt',
    text: 'Big enough for a rope or a picnic, small enough for the overhead locker. The back panel stands off '
      + 'so that your shirt stays dry on the climb.',
    facts: [['Weight', '860 g'], ['Volume', '28 l'], ['Fabric', 'Recycled nylon 210D'], ['Rain cover', 'Included']],
    likes: ['BOTTLE-F', 'DRY-20', 'MUG-T', 'TARP-3X3'],
  },
  {
    id: 'PACK-55',
    name: 'Traverse 55',
    category: 'backpacks',
    price: 6890,
    stock: 6,
    image: 'pack-55',
    brief: 'Trekking pack that carries twenty kilos gladly',
    text: 'An adjustable back, a belt that puts the weight where it belongs, and a front opening so that the '
      + 'thing at the bottom is not the last thing out.',
    facts: [['Weight', '1.7 kg'], ['Volume', '55 + 8 l'], ['Fabric', 'Nylon 420D'], ['Back length', '42 to 53 cm']],
    likes: ['TENT-1P', 'MAT-AIR', 'DRY-20', 'BOTTLE-F'],
  },
  {
    id: 'DRY-20',
    name: 'Dry bag 20 l',
    category: 'backpacks',
    price: 690,
    stock: 40,
    image: 'dry-20',
    brief: 'Roll it three times and drop it in a river',
    text: 'Welded seams and a roll closure keep twenty litres dry through rain, rivers and leaking bottles. '
      + 'Bright inside, so that socks can be found.',
    facts: [['Weight', '140 g'], ['Volume', '20 l'], ['Fabric', 'Coated nylon 70D'], ['Colour', 'Amber']],
    likes: ['PACK-55', 'PACK-28', 'BAG-DOWN', 'BOTTLE-F'],
  },
  {
    id: 'STOVE-G',
    name: 'Ember gas stove',
    category: 'kitchen',
    price: 1990,
    stock: 11,
    image: 'stove-g',
    brief: 'Boils half a litre in under three minutes',
    text: 'Three folding arms, a wide burner and a valve that really simmers. Works with every threaded '
      + 'canister; the canister is not included.',
    facts: [['Weight', '88 g'], ['Power', '2.9 kW'], ['Boil time', '2 min 50 s for 0.5 l'], ['Thread', 'EN 417']],
    likes: ['POT-2', 'MUG-T', 'BOTTLE-F', 'TARP-3X3'],
  },
  {
    id: 'POT-2',
    name: 'Hearth pot set',
    category: 'kitchen',
    price: 2490,
    stock: 8,
    image: 'pot-2',
    brief: 'Two-litre pot, lid and two bowls in one',
    text: 'Hard-anodised aluminium that neither sticks nor flakes. A stove and a canister fit inside with the '
      + 'bowls, and the lid pours without scalding anybody.',
    facts: [['Weight', '480 g'], ['Volume', '2 l'], ['Material', 'Hard-anodised aluminium'], ['For', 'Two people']],
    likes: ['STOVE-G', 'MUG-T', 'BOTTLE-F', 'TENT-2P'],
  },
  {
    id: 'MUG-T',
    name: 'Titanium mug 450',
    category: 'kitchen',
    price: 1190,
    stock: 0,
    image: 'mug-t',
    brief: 'Tea, soup and porridge at 74 grams',
    text: 'One wall of titanium, folding handles and a scale on the inside. It goes straight onto the flame '
      + 'and will outlive every tent you own.',
    facts: [['Weight', '74 g'], ['Volume', '450 ml'], ['Material', 'Titanium'], ['Lid', 'Included']],
    likes: ['STOVE-G', 'POT-2', 'BOTTLE-F', 'PACK-28'],
  },
  {
    id: 'BOTTLE-F',
    name: 'Spring filter bottle',
    category: 'kitchen',
    price: 1890,
    stock: 13,
    image: 'bottle-f',
    brief: 'Drink from any stream, at once',
    text: 'A hollow-fibre filter takes out bacteria and grit as you drink. Rinse it backwards in the evening '
      + 'and one cartridge lasts a thousand litres.',
    facts: [['Weight', '160 g'], ['Volume', '700 ml'], ['Filter', '0.1 µm hollow fibre'], ['Cartridge life', '1 000 l']],
    likes: ['PACK-28', 'DRY-20', 'STOVE-G', 'MUG-T'],
  },
];

/** What the main page shows first. */
export const favourites = ['TENT-2P', 'PACK-55', 'BAG-SUM', 'STOVE-G', 'MAT-AIR', 'TENT-4P', 'BOTTLE-F', 'DRY-20'];

const byId = new Map(products.map((product) => [product.id, product]));

/** @returns {Product | undefined} */
export const productById = (id) => byId.get(id);

/** @returns {Product[]} the known ones among `ids`, in their order */
export const productsById = (ids) => ids.map(productById).filter(Boolean);

/** @returns {Category | undefined} */
export const categoryByKey = (key) => categories.find((category) => category.key === key);

/** @returns {Product[]} */
export const productsOf = (key) => products.filter((product) => product.category === key);

/** Products in which every word of `query` occurs; a final "s" is not held against a word. */
export function findProducts(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => word.replace(/(?<=..)s$/, ''));
  if (words.length === 0) return [];
  return products.filter((product) => {
    const { id, name, brief, category } = product;
    const haystack = `${id} ${name} ${brief} ${categoryByKey(category).name}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}

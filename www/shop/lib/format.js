const number = new Intl.NumberFormat('uk-UA', { maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });

/** An amount in hryvnias as the shop prints it: "7 990 ₴". */
export const money = (amount) => `${number.format(amount)}\u00a0₴`;

/** "1 item", "3 items". */
export const count = (amount, one, many = `${one}s`) => `${amount} ${amount === 1 ? one : many}`;

export const date = (time) => day.format(time);

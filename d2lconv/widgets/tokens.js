// Python's words, numbers and quoted text, found one after the other in what the reader typed.

/** What keeps a text from being read, and where in the text that is. */
export class Slip extends Error {
  constructor(message, text, place) {
    const lines = text.slice(0, place).split("\n");
    super(`Line ${lines.length}, column ${lines.at(-1).length + 1}: ${message}.`);
    this.place = place;
  }
}

export const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;
const SPACE = /(?:\s|#[^\n]*|\\\n)*/y;
const DIGITS = String.raw`\d(?:_?\d)*`;
const NUMBER = new RegExp(
  String.raw`0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|` +
    String.raw`(?:${DIGITS}\.?(?:${DIGITS})?|\.${DIGITS})(?:[eE][+-]?${DIGITS})?`,
  "y",
);
const LONGEST = 4300; // digits of a whole number: Python reads no more
const CODE = /\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U000[\da-fA-F]{5}|[0-7]{1,3})/y;
const ESCAPES = { n: "\n", t: "\t", r: "\r", a: "\x07", b: "\b", f: "\f", v: "\v", "\n": "" };

/** A text, and how far it has been read. */
export class Source {
  constructor(text) {
    this.text = text;
    this.place = 0;
  }

  fail(message, place = this.place) {
    throw new Slip(message, this.text, place);
  }

  ahead(pattern) {
    pattern.lastIndex = this.place;
    return pattern.test(this.text);
  }

  /** The text that a pattern finds here, and that is then behind us; null if there is none. */
  take(pattern) {
    pattern.lastIndex = this.place;
    const found = pattern.exec(this.text);
    this.place += found ? found[0].length : 0;
    return found && found[0];
  }

  /** Go past space and comments, to the end perhaps. */
  skip() {
    this.take(SPACE);
    return this.place === this.text.length;
  }

  /** Whether a sign comes next, which is then behind us. */
  sign(wanted) {
    this.skip();
    const here = this.text.startsWith(wanted, this.place);
    this.place += here ? wanted.length : 0;
    return here;
  }

  found() {
    const code = this.text.codePointAt(this.place);
    return code === undefined ? "the end" : `“${String.fromCodePoint(code)}”`;
  }

  /** An int as a BigInt, or a float as a number. */
  number() {
    const at = this.place;
    const plain = this.take(NUMBER).replaceAll("_", "");
    const whole = /^(?:\d+|0[xob][\da-f]+)$/i.test(plain);
    if (/^0\d*[1-9]/.test(plain) && whole) this.fail("a whole number does not begin with 0", at);
    if (this.ahead(/[\p{L}\p{N}_.]/uy)) this.fail(`in a number there cannot be ${this.found()}`);
    if (plain.length > LONGEST) this.fail("the number is too long", at);
    return whole ? BigInt(plain) : Number(plain);
  }

  /** Text in quotes, or several pieces of it, one after the other. */
  string() {
    const at = this.place;
    const [one, three] = [this.text[at], this.text[at].repeat(3)];
    const quote = this.text.startsWith(three, at) ? three : one;
    let result = "";
    for (this.place += quote.length; !this.text.startsWith(quote, this.place);) {
      const next = this.text[this.place] ?? "";
      if (next === "" || (next === "\n" && quote === one)) this.fail(`the quote ${quote} is not closed`, at);
      result += this.character();
    }
    this.place += quote.length;
    this.skip();
    return this.ahead(/["']/y) ? result + this.string() : result;
  }

  character() {
    if (this.text[this.place] !== "\\") return this.text[this.place++];
    const code = this.take(CODE)?.slice(1);
    if (code) return String.fromCodePoint(Number(/^\d/.test(code) ? `0o${code}` : `0x${code.slice(1)}`));
    const next = this.text[this.place + 1] ?? "";
    if (/[xuUN]/.test(next))
      this.fail(`“\\${next}” begins a character by number or name, which is not all there`);
    this.place += 2;
    return ESCAPES[next] ?? (/[\\'"]/.test(next) ? next : `\\${next}`);
  }
}

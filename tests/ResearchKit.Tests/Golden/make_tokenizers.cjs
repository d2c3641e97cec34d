// Makes models/tokenizer-json/expected.json: small tokenizer.json files of every supported kind, and the ids and texts that
// Hugging Face's tokenizers (Rust, by the npm package @anush008/tokenizers 0.6.0) give for them.
//   npm install @anush008/tokenizers@0.6.0 && node make_tokenizers.cjs ../../../datasets/austen/emma.txt.gz models
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const zlib = require('zlib');
const { Tokenizer } = require('@anush008/tokenizers');

const corpus = zlib.gunzipSync(fs.readFileSync(process.argv[2])).toString('utf8').slice(0, 60000);
const models = process.argv[3];
const gpt2 = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const symbols = [];
for (let value = 0, next = 256; value < 256; value++)
  symbols.push(String.fromCharCode((value >= 33 && value <= 126) || (value >= 161 && value <= 172) || value >= 174 ? value : next++));
const written = text => [...Buffer.from(text, 'utf8')].map(value => symbols[value]);

/** Byte-pair training: words as lists of symbols, with counts. */
function train(words, alphabet, count) {
  const vocabulary = [...alphabet];
  const known = new Set(vocabulary);
  const merges = [];
  let list = [...words].map(([word, times]) => [[...word], times]);
  while (merges.length < count) {
    const pairs = new Map();
    for (const [word, times] of list)
      for (let at = 1; at < word.length; at++) {
        const pair = word[at - 1] + '\u0001' + word[at];
        pairs.set(pair, (pairs.get(pair) || 0) + times);
      }
    let best = null;
    for (const [pair, times] of pairs)
      if (!best || times > pairs.get(best) || (times === pairs.get(best) && pair < best)) best = pair;
    if (!best) break;
    const [left, right] = best.split('\u0001');
    merges.push([left, right]);
    if (!known.has(left + right)) { known.add(left + right); vocabulary.push(left + right); }
    for (const entry of list) {
      const merged = [];
      for (let at = 0; at < entry[0].length; at++)
        if (entry[0][at] === left && entry[0][at + 1] === right) { merged.push(left + right); at++; } else merged.push(entry[0][at]);
      entry[0] = merged;
    }
  }
  return { vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])), merges };
}

function counted(list) {
  const counts = new Map();
  for (const item of list) counts.set(item, (counts.get(item) || 0) + 1);
  return counts;
}

const bytes = train([...counted(corpus.match(gpt2))].map(([word, times]) => [written(word), times]), [...symbols].sort(), 220);
const token = (id, content, flags) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...flags });
const size = model => Object.keys(model.vocab).length;
const byteLevel = (flags) => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true, ...flags });
const split = (Regex, behavior, invert) => ({ type: 'Split', pattern: { Regex }, behavior: behavior || 'Isolated', invert: !!invert });
const bpe = (base, flags) => ({ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null,
  fuse_unk: false, byte_fallback: false, ignore_merges: false, ...flags, ...base });
const whole = parts => ({ version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null,
  post_processor: null, decoder: null, ...parts });

const llama3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const qwen = llama3.replace('{1,3}', '');
const o200k = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const deepseek = ["\\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"];
const possessive = "[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s";

const letters = [...new Set(corpus)].filter(character => /[A-Za-z.,'!?-]/.test(character)).sort();
const pieces = ['<unk>', '<s>', '</s>', ...Array.from({ length: 256 }, (_, value) => `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`), '\u2581'];
const spaced = train([...counted(corpus.replace(/\s+/g, ' ').split(' '))].map(([word, times]) => [['\u2581', ...word].filter(c => c === '\u2581' || letters.includes(c)), times]), [...pieces, ...letters], 200);
const metaspaced = train([...counted(corpus.replace(/\s+/g, ' ').split(' '))].map(([word, times]) => [['\u2581', ...word].filter(c => c === '\u2581' || letters.includes(c)), times]), ['<unk>', '<s>', '</s>', '\u2581', ...letters], 150);

const wordPieces = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...'abcdefghijklmnopqrstuvwxyz0123456789.,!?\'"-()[]<>_|'.split(''),
  ...'abcdefghijklmnopqrstuvwxyz0123456789'.split('').map(c => '##' + c), 'the', 'and', 'name', 'hello', 'world', '##ing', '##ed', '##er', 'un', '##able', '\u4e16', '\u754c', 'e\u0301', '\u00e9', '\ud83d\ude00', '##\ud83d\ude00', '\u03c3', '\u03c2', '\u00df', '\u0131', 'i\u0307'];
const list = tokens => Object.fromEntries(tokens.map((content, id) => [content, id]));
const score = (text, at) => [text, text.startsWith('<') ? 0 : -3.25 - at * 0.0625 - (text.length === 1 ? 4 : 0)];
const unigramTokens = ['<s>', '<pad>', '</s>', '<unk>', '\u2581', ...letters, ...Object.keys(metaspaced.vocab).slice(-120), '<mask>'];

const roles = model => [token(0, '<unk>'), token(1, '<s>'), token(2, '</s>')];
const template = (start, end) => ({ type: 'TemplateProcessing',
  single: [...(start ? [{ SpecialToken: { id: start[0], type_id: 0 } }] : []), { Sequence: { id: 'A', type_id: 0 } }, ...(end ? [{ SpecialToken: { id: end[0], type_id: 0 } }] : [])],
  pair: [...(start ? [{ SpecialToken: { id: start[0], type_id: 0 } }] : []), { Sequence: { id: 'A', type_id: 0 } }, ...(end ? [{ SpecialToken: { id: end[0], type_id: 0 } }] : []), { Sequence: { id: 'B', type_id: 1 } }, ...(end ? [{ SpecialToken: { id: end[0], type_id: 1 } }] : [])],
  special_tokens: Object.fromEntries([start, end].filter(Boolean).map(([id, number]) => [id, { id, ids: [number], tokens: [id] }])) });

const flagged = base => {
  const n = size(base);
  return [token(n, '<|endoftext|>'), token(n + 1, '<|user|>'), token(n + 2, '<left>', { lstrip: true }), token(n + 3, '<right>', { rstrip: true }),
    token(n + 4, 'lone', { single_word: true, special: false }), token(n + 5, '<both>', { lstrip: true, rstrip: true }), token(n + 6, '<|user|>x'),
    token(n + 7, 'Plain', { normalized: true, special: false }), token(n + 8, '\u01d5ber', { normalized: true, special: false })];
};

const kinds = {
  'gpt2': whole({ added_tokens: flagged(bytes), pre_tokenizer: byteLevel(), post_processor: byteLevel(), decoder: byteLevel(), model: bpe(bytes) }),
  'roberta': whole({ added_tokens: [token(size(bytes), '<s>'), token(size(bytes) + 1, '</s>'), token(size(bytes) + 2, '<mask>', { lstrip: true })],
    pre_tokenizer: byteLevel({ add_prefix_space: true }), decoder: byteLevel(), model: bpe(bytes),
    post_processor: { type: 'RobertaProcessing', sep: ['</s>', size(bytes) + 1], cls: ['<s>', size(bytes)], trim_offsets: true, add_prefix_space: true } }),
  'llama3': whole({ added_tokens: flagged(bytes), pre_tokenizer: { type: 'Sequence', pretokenizers: [split(llama3), byteLevel({ use_regex: false })] },
    post_processor: { type: 'Sequence', processors: [byteLevel(), template(['<|user|>', size(bytes) + 1])] }, decoder: byteLevel(),
    model: bpe({ ...bytes, merges: bytes.merges.filter(([left]) => !left.endsWith('t')) }, { ignore_merges: true }) }),
  'qwen2': whole({ added_tokens: flagged(bytes), normalizer: { type: 'NFC' }, pre_tokenizer: { type: 'Sequence', pretokenizers: [split(qwen), byteLevel({ use_regex: false })] },
    post_processor: byteLevel({ trim_offsets: false }), decoder: byteLevel(), model: bpe({ ...bytes, merges: bytes.merges.map(pair => pair.join(' ')) }) }),
  'o200k': whole({ added_tokens: flagged(bytes), pre_tokenizer: { type: 'Sequence', pretokenizers: [split(o200k, 'Removed', true), byteLevel({ use_regex: false })] }, decoder: byteLevel(), model: bpe(bytes) }),
  'deepseek': whole({ pre_tokenizer: { type: 'Sequence', pretokenizers: [...deepseek.map(pattern => split(pattern)), byteLevel({ use_regex: false })] }, decoder: byteLevel(), model: bpe(bytes) }),
  'possessive': whole({ pre_tokenizer: { type: 'Sequence', pretokenizers: [split(possessive), byteLevel({ use_regex: false })] }, decoder: byteLevel(), model: bpe(bytes) }),
  'starcoder': whole({ pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel()] }, decoder: byteLevel(), model: bpe(bytes) }),
  'llama2': whole({ added_tokens: roles(), normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '\u2581' }, { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' }] },
    post_processor: template(['<s>', 1]), model: bpe(spaced, { unk_token: '<unk>', fuse_unk: true, byte_fallback: true }),
    decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '\u2581' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] } }),
  'gemma': whole({ added_tokens: [...roles(), token(size(spaced), '\n\n', { special: false })], normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
    pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false }, post_processor: template(['<s>', 1]), model: bpe(spaced, { unk_token: '<unk>', fuse_unk: true, byte_fallback: true }),
    decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '\u2581' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }] } }),
  'mistral': whole({ added_tokens: roles(), pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'first', split: false }, post_processor: template(['<s>', 1], ['</s>', 2]),
    model: bpe(spaced, { unk_token: '<unk>', fuse_unk: true, byte_fallback: true }), decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'first', split: false } }),
  'metaspace-always': whole({ added_tokens: roles(), pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true },
    model: bpe(metaspaced, { unk_token: '<unk>' }), decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true } }),
  'metaspace-never': whole({ pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'never', split: true },
    model: bpe(metaspaced, { unk_token: '<unk>', fuse_unk: true }), decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'never', split: true } }),
  'clip': whole({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }, { type: 'Lowercase' }] },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split("'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+", 'Removed', true), byteLevel()] },
    model: (() => { const end = train([...counted(corpus.toLowerCase().match(/\p{L}+|[^\s\p{L}]+/gu))].map(([word, times]) => { const w = written(word); return [[...w.slice(0, -1), w[w.length - 1] + '</w>'], times]; }),
      [...symbols, ...symbols.map(symbol => symbol + '</w>')], 60); return bpe(end, { unk_token: null, end_of_word_suffix: '</w>', continuing_subword_prefix: '' }); })(),
    decoder: { type: 'Sequence', decoders: [{ type: 'BPEDecoder', suffix: '</w>' }] } }),
  'bert': whole({ added_tokens: [...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((content, id) => token(id, content)), token(wordPieces.length, '[NAME]'), token(wordPieces.length + 1, 'Covid19', { normalized: true, special: false }),
    token(wordPieces.length + 2, 'solo', { normalized: true, special: false, single_word: true })],
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true }, pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] }, decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 20, vocab: list(wordPieces) } }),
  'bert-cased': whole({ added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((content, id) => token(id, content)),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: false }, pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: template(['[CLS]', 2], ['[SEP]', 3]), decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: list(wordPieces) } }),
  'unigram': whole({ added_tokens: [token(0, '<s>'), token(1, '<pad>'), token(2, '</s>'), token(3, '<unk>'), token(unigramTokens.length - 1, '<mask>', { lstrip: true })],
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }, { type: 'Strip', strip_left: false, strip_right: true }] },
    pre_tokenizer: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true }, post_processor: template(null, ['</s>', 2]),
    model: { type: 'Unigram', unk_id: 3, vocab: unigramTokens.map(score), byte_fallback: false }, decoder: { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always', split: true } }),
  'precompiled': whole({ normalizer: { type: 'Precompiled', precompiled_charsmap: 'CHARACTER MAP' },
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace', replacement: '\u2581', add_prefix_space: true }] },
    model: { type: 'Unigram', unk_id: 3, vocab: unigramTokens.map(score) }, decoder: { type: 'Metaspace', replacement: '\u2581', add_prefix_space: true } }),
  'word-level': whole({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFD' }, { type: 'StripAccents' }, { type: 'Lowercase' }, { type: 'Strip', strip_left: true, strip_right: true }] },
    pre_tokenizer: { type: 'Whitespace' }, model: { type: 'WordLevel', unk_token: '<unk>', vocab: list(['<unk>', 'hello', 'world', 'the', 'uber', '...', '!', '\u4e16\u754c', 'a', '1']) } }),
  'pieces': whole({ normalizer: { type: 'NFKD' }, pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Contiguous' }, { type: 'Digits', individual_digits: false }, { type: 'CharDelimiterSplit', delimiter: 'z' }] },
    model: { type: 'WordLevel', unk_token: '<unk>', vocab: list(['<unk>', 'hello', 'world', 'the', '...', '!', '123', '12', 'a', '1', '\uff01', 'fi', '(', ')', '")']) } }),
};
for (const behavior of ['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'])
  for (const invert of [false, true])
    kinds[`split-${behavior}-${invert}`] = whole({ pre_tokenizer: { type: 'Sequence', pretokenizers: [split('[aeiou]|-', behavior, invert), byteLevel({ use_regex: false })] }, model: bpe({ vocab: Object.fromEntries([...Object.keys(bytes.vocab), 'aa', 'aab'].map((t, id) => [t, id])), merges: [] }, { ignore_merges: true }), decoder: byteLevel() });

const texts = ['', ' ', 'hello', ' hello', 'hello ', 'Hello world', 'hello  world', 'hello   world  ', '\n', '\n\n', 'a\n\n\nb', 'a \n b', ' \n\n  x', 'a\r\nb\r\n\r\nc', 'tab\there\t\tthere',
  "It's they'll I'M WE'VE he'd'", "don't can't ''s 't", '12345 1234567 3.14 1,000', 'x1y22z333', '(a) [b] {c} "d" e-mail_x', '!!!??? ...', 'a,b;c:d', 'na\u00efve caf\u00e9 \u00dcber', 'cafe\u0301 A\u030a', '\ufb01 \u2460 \u00bd \uff21\uff22 \u2126',
  '\u4e16\u754c\u4f60\u597d hello', '\u3053\u3093\u306b\u3061\u306f\u30c6\u30b9\u30c8', '\uc548\ub155', '\ud83d\ude00 smile \ud83d\ude00\ud83d\ude00', '\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 family', '\ud835\udc00\ud835\udc01c \ud800\udf30', '\ud840\udc00\ud840\udc01 x',
  '\u00a0nbsp\u00a0\u3000wide', 'a\u2028b\u0085c\u200bd', '\u0001\u0007ctrl\u007f', '\ufffd x', 'zz aab aa-a--ba', 'aaaa eio-', '-', 'aa', '\u0130stanbul \u03a3\u0391\u03a3', '<|user|>hello<|endoftext|>', '<|user|>xhello <|user|> x',
  'a <left> b <left>c', 'a<right>   b <right>c', '  <both>  <both>  x', 'lone alone lone. (lone) lone_ lone1 lone', 'Plain plain PLAIN', '\u01d5ber u\u0308ber U\u0308\u0304ber', '<s>hello</s>', 'a <mask> b', '<unk> [MASK] [NAME] [UNK]x', 'COVID19 covid19x Solo solos solo', 'antidisestablishmentarianism unable walked', '<0x41>',
  'the the  the', '\u2581hello \u2581', 'x\u0378y', 'a\ud83e\udee8b', '   ', '\t', '..', ' .', "he said : \" yes , no ! \" it 's n't", '\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0928\u092e\u0938\u094d\u0924\u0947', '\u1100\u1161\u11a8', 'zhelloz world', 'https://a.b/c?d=e&f=1#g', corpus.slice(1000, 1300)];

function characterMap() {
  const bytes = zlib.gunzipSync(fs.readFileSync(path.join(models, 'sentencepiece-unigram', 'tokenizer.model.gz')));
  const varint = at => { let value = 0, shift = 0, next; do { next = bytes[at++]; value += (next & 127) * 2 ** shift; shift += 7; } while (next & 128); return [value, at]; };
  const fields = (from, to, wanted) => { for (let at = from; at < to;) { let key, length; [key, at] = varint(at); if ((key & 7) === 2) { [length, at] = varint(at); if (key >> 3 === wanted) return [at, at + length]; at += length; } else if ((key & 7) === 0) [, at] = varint(at); else at += (key & 7) === 5 ? 4 : 8; } };
  const [from, to] = fields(0, bytes.length, 3);
  const [start, end] = fields(from, to, 2);
  return bytes.subarray(start, end).toString('base64');
}

async function main() {
  const file = path.join(os.tmpdir(), `tokenizer-${process.pid}.json`);
  const result = [];
  for (const [name, json] of Object.entries(kinds)) {
    fs.writeFileSync(file, JSON.stringify(json).replace('CHARACTER MAP', name === 'precompiled' ? characterMap() : ''));
    const tokenizer = Tokenizer.fromFile(file);
    const cases = [];
    for (const text of texts) {
      const ids = (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds();
      const one = { text, ids, decoded: await tokenizer.decode(ids, false) };
      if (cases.length % 8 === 4) {
        const full = await tokenizer.encode(text, null, { addSpecialTokens: true });
        const pair = await tokenizer.encode(text, 'hello the', { addSpecialTokens: true });
        Object.assign(one, { full: full.getIds(), pair: pair.getIds(), types: pair.getTypeIds() });
      }
      cases.push(one);
    }
    result.push({ name, tokenizer: json, cases });
  }
  fs.unlinkSync(file);
  fs.mkdirSync(path.join(models, 'tokenizer-json'), { recursive: true });
  fs.writeFileSync(path.join(models, 'tokenizer-json', 'expected.json'), '{ "reference": "huggingface/tokenizers 0.22.2", "kinds": [\n' + result.map(kind => JSON.stringify(kind)).join(',\n') + '\n] }\n');
  console.log(result.length, 'kinds,', texts.length, 'texts');
}
main();

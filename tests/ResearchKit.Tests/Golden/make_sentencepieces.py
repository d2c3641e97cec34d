"""Makes models/sentencepiece-options/expected.json: small SentencePiece models of every type and with every option that
changes results, and the ids and texts that sentencepiece 0.1.97 gives for them (Debian's python3-sentencepiece).
    python3 make_sentencepieces.py ../../../datasets/austen/emma.txt.gz models"""
import base64, gzip, io, json, os, sys
import sentencepiece

corpus = gzip.open(sys.argv[1]).read().decode("utf-8")[:40000].split("\n")
texts = ["", " ", "hello", " hello  world ", "Emma Woodhouse, handsome", "the the  the", "a\tb\nc", "naïve café", "世界 hello", "😀 x😀😀y",
         "<user>hello<user> the", "the<pad_x>and", "▁the ▁", "    four", "x<s>y</s>", "hello▁world", "the, and. THE", "<unk> the",
         "handsomeand clever", "ab\u0301c", " <user> ", "<ctl>the", "\u3000the\u00a0and", "and user defined the"]
kinds = {
    "char": dict(model_type="char", vocab_size=60),
    "char-user": dict(model_type="char", vocab_size=64, user_defined_symbols=["<user>", "▁the", "and"], control_symbols=["<ctl>"]),
    "char-bytes-suffix": dict(model_type="char", vocab_size=310, byte_fallback=True, treat_whitespace_as_suffix=True),
    "word": dict(model_type="word", vocab_size=300),
    "word-user": dict(model_type="word", vocab_size=300, user_defined_symbols=["▁user", "<user>"], control_symbols=["<ctl>"]),
    "word-plain": dict(model_type="word", vocab_size=300, add_dummy_prefix=False, remove_extra_whitespaces=False),
    "unigram-suffix": dict(model_type="unigram", vocab_size=200, treat_whitespace_as_suffix=True),
    "unigram-user": dict(model_type="unigram", vocab_size=200, user_defined_symbols=["<user>", "▁the", "user defined", "and"], control_symbols=["<ctl>"]),
    "unigram-plain": dict(model_type="unigram", vocab_size=200, add_dummy_prefix=False, remove_extra_whitespaces=False),
    "unigram-bytes": dict(model_type="unigram", vocab_size=420, byte_fallback=True, remove_extra_whitespaces=False),
    "pairs-suffix": dict(model_type="bpe", vocab_size=200, treat_whitespace_as_suffix=True),
    "pairs-user": dict(model_type="bpe", vocab_size=200, user_defined_symbols=["<user>", "▁the", "user defined", "and"], control_symbols=["<ctl>"]),
    "pairs-plain": dict(model_type="bpe", vocab_size=200, add_dummy_prefix=False, remove_extra_whitespaces=False),
    "pairs-bytes": dict(model_type="bpe", vocab_size=420, byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True),
}
result = []
for name, options in kinds.items():
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=file, normalization_rule_name="identity",
                                             pad_id=3, hard_vocab_limit=False, minloglevel=2, num_threads=1, **options)
    processor = sentencepiece.SentencePieceProcessor(model_proto=file.getvalue())
    cases = []
    for text in texts:
        ids = processor.encode(text)
        cases.append({"text": text, "ids": ids, "decoded": processor.decode(ids)})
    result.append({"name": name, "model": base64.b64encode(file.getvalue()).decode(), "cases": cases})
folder = os.path.join(sys.argv[2], "sentencepiece-options")
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "expected.json"), "w", encoding="utf-8") as out:
    out.write('{ "reference": "sentencepiece %s", "kinds": [\n%s\n] }\n'
              % (sentencepiece.__version__, ",\n".join(json.dumps(kind, ensure_ascii=False) for kind in result)))

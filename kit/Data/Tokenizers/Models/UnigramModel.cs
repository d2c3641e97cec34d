using System.Text;
using System.Text.Json;
using ResearchKit.Data.SentencePieces;

namespace ResearchKit.Data;

/// <summary>The unigram model of <c>tokenizer.json</c> (huggingface/tokenizers, models/unigram).</summary>
internal sealed class UnigramModel : ITokenModel
{
    private readonly UnigramPieces pieces;
    private readonly TokenVocabulary vocabulary;
    private readonly int unknown;
    private readonly bool byteFallback;

    public UnigramModel(JsonElement json, string name)
    {
        var entries = json.Items("vocab")
            .Select((entry, id) => entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 2
            ? new Piece(entry[0].GetString() ?? "", entry[1].GetDouble(), PieceKind.Normal)
            : throw new FormatException($"The entry number {id} of the vocabulary is not a token with its score.")).ToArray();
        vocabulary = new TokenVocabulary(entries.Select((piece, id) => (piece.Text, id)), name);
        unknown = json.Number("unk_id") ?? -1;
        if (unknown >= entries.Length || entries.Length == 0)
            throw new InvalidDataException($"{name} has {entries.Length} tokens and the unknown token {unknown}; expected one "
                + "of the tokens.");
        byteFallback = json.Flag("byte_fallback") ?? false;
        var table = new PieceTable(vocabulary.Ids.Where(entry => entry.Key.Length > 0).Select(entry => (entry.Key, entry.Value)));
        pieces = new UnigramPieces(entries, table, -1, isSingle: false);
    }

    public TokenVocabulary Vocabulary => vocabulary;

    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        var text = new byte[Encoding.UTF8.GetByteCount(word)];
        Encoding.UTF8.GetBytes(word, text);
        var cut = pieces.Cut(text);
        for (var at = 0; at < cut.Count; at++)
        {
            if (cut[at].Id >= 0 && cut[at].Id != unknown)
            {
                ids.Add(cut[at].Id);
                continue;
            }
            // Neighboring unknown characters are one token.
            var end = at;
            while (end + 1 < cut.Count && (cut[end + 1].Id < 0 || cut[end + 1].Id == unknown)) end++;
            var start = cut[at].Start;
            AddUnknown(Encoding.UTF8.GetString(text, start, cut[end].Start + cut[end].Length - start), ids);
            at = end;
        }
    }

    private void AddUnknown(string part, List<int> ids)
    {
        var known = vocabulary.Find(part);
        if (known >= 0) ids.Add(known);
        else if (!(byteFallback && vocabulary.AddBytes(part, ids)))
            ids.Add(unknown >= 0 ? unknown
                : throw new ArgumentException($"The vocabulary of {vocabulary.Count} tokens cannot encode '{part}' and has no "
                    + "unknown token."));
    }
}

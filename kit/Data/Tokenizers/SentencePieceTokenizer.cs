using System.Globalization;
using System.Text;
using ResearchKit.Data.SentencePieces;

namespace ResearchKit.Data;

/// <summary>SentencePiece: unigram (T5) and byte-pair (Llama) vocabularies that take the space for a character.</summary>
/// <remarks>
/// Kudo and Richardson, 2018, https://arxiv.org/abs/1808.06226. Written out because SentencePieceTokenizer of
/// Microsoft.ML.Tokenizers 2.0.1 cannot stand in: with unigram models it fails where &lt;unk&gt;, &lt;s&gt; and &lt;/s&gt; are
/// not numbers 0, 1 and 2, as in T5 (IndexOutOfRangeException), and gives other ids for byte fallback; with byte-pair models it
/// merges runs of spaces in another order.
/// </remarks>
public sealed class SentencePieceTokenizer : ITokenizer
{
    private const string Space = "\u2581";

    private readonly PieceModel model;
    private readonly PieceNormalizer normalizer;
    private readonly UnigramPieces? unigram;
    private readonly BytePairPieces? pairs;
    private readonly string[] added;
    private readonly int unknown;
    private readonly int[] bytes = new int[256];

    private SentencePieceTokenizer(PieceModel model, IReadOnlyList<string> added, string name)
    {
        this.model = model;
        this.added = [.. added];
        unknown = model.Pieces.ToList().FindIndex(piece => piece.Kind == PieceKind.Unknown);
        if (unknown < 0) throw new InvalidDataException($"{name} has no piece for the unknown among its {model.Pieces.Count}.");
        if (model.ByteFallback) FindBytes(name);
        var table = new PieceTable(model.Pieces.Select((piece, id) => (piece, id))
            .Where(entry => entry.piece.Kind is PieceKind.Normal or PieceKind.UserDefined or PieceKind.Unused)
                .Select(entry => (entry.piece.Text, entry.id)));
        normalizer = new PieceNormalizer(model, name);
        if (model.IsUnigram) unigram = new UnigramPieces(model.Pieces, table, unknown);
        else pairs = new BytePairPieces(model.Pieces, table, normalizer, unknown);
        Special = new SpecialTokens
        {
            Unknown = unknown,
            Padding = Control(model.PaddingPiece),
            Beginning = Control(model.BeginningPiece),
            End = Control(model.EndPiece)
        };
    }

    /// <inheritdoc/>
    public int VocabularySize => model.Pieces.Count + added.Length;

    /// <inheritdoc/>
    public SpecialTokens Special { get; }

    /// <param name="bytes">A <c>.model</c> file: <c>spiece.model</c> or <c>tokenizer.model</c>.</param>
    /// <param name="added">
    /// Tokens behind the pieces of the file; a text is never cut into them unless it holds them. T5 has &lt;extra_id_99&gt; to
    /// &lt;extra_id_0&gt;.
    /// </param>
    /// <param name="name">The file's name, for errors.</param>
    /// <exception cref="InvalidDataException">The file is malformed or of another kind of model; says what and where.</exception>
    public static SentencePieceTokenizer Parse(ReadOnlySpan<byte> bytes, IReadOnlyList<string>? added = null,
        string name = "the model") =>
        new(PieceModel.Parse(bytes, name), added ?? [], name);

    /// <summary>
    /// The hundred tokens that T5 adds, in the order of their ids: they stand for the spans that it is to fill in.
    /// </summary>
    public static IReadOnlyList<string> T5Sentinels { get; } =
        [.. Enumerable.Range(0, 100).Reverse().Select(number => $"<extra_id_{number}>")];

    /// <summary>Writes a <c>.model</c> file that SentencePiece itself reads; added tokens are no part of one.</summary>
    public void Save(string path) => File.WriteAllBytes(path, PieceModelWriter.Write(model, Special));

    internal static SentencePieceTokenizer From(PieceModel model, string name) => new(model, [], name);

    /// <inheritdoc/>
    /// <remarks>
    /// Neither a beginning nor an end is added; ask <see cref="Special"/> for their ids. Added tokens in the text are found.
    /// </remarks>
    public long[] Encode(string text)
    {
        var result = new List<long>();
        foreach (var (part, id) in AtAddedTokens(text))
            if (id >= 0) result.Add(model.Pieces.Count + id);
            else AddPieces(result, part);
        return [.. result];
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">An id outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens)
    {
        var text = new StringBuilder();
        var pending = new List<byte>();
        var seenSpace = false;
        foreach (var token in tokens)
        {
            var id = VocabularyIds.Checked(token, VocabularySize);
            if (id < model.Pieces.Count && model.Pieces[id].Kind == PieceKind.Byte)
            {
                pending.Add(ByteOf(model.Pieces[id].Text));
                continue;
            }
            Flush();
            if (id >= model.Pieces.Count) text.Append(added[id - model.Pieces.Count]);
            else if (model.Pieces[id].Kind == PieceKind.Unknown) text.Append(model.UnknownSurface);
            else if (model.Pieces[id].Kind != PieceKind.Control)
            {
                var piece = model.Pieces[id].Text;
                if (text.Length == 0 && !seenSpace && (model.AddDummyPrefix || model.RemoveExtraSpaces)
                    && piece.StartsWith(Space, StringComparison.Ordinal))
                {
                    piece = piece[1..];
                    seenSpace = !model.RemoveExtraSpaces;
                }
                text.Append(piece.Replace(Space, " ", StringComparison.Ordinal));
            }
        }
        Flush();
        return text.ToString();

        void Flush()
        {
            ReadOnlySpan<byte> rest = pending.ToArray();
            while (rest.Length > 0)
            {
                var valid = Rune.DecodeFromUtf8(rest, out var rune, out var length) == System.Buffers.OperationStatus.Done;
                text.Append(valid ? rune.ToString() : "\uFFFD");
                rest = rest[(valid ? length : 1)..];
            }
            pending.Clear();
        }
    }

    /// <inheritdoc/>
    public string Token(long id) => VocabularyIds.Checked(id, VocabularySize) is var number && number < model.Pieces.Count
        ? model.Pieces[number].Text : added[number - model.Pieces.Count];

    private void AddPieces(List<long> result, string text)
    {
        var normal = normalizer.Normalize(text);
        var afterUnknown = false;
        foreach (var (start, length, id) in unigram?.Cut(normal) ?? pairs!.Cut(normal))
        {
            if (id != unknown) result.Add(id);
            else if (model.ByteFallback)
                foreach (var value in normal.AsSpan(start, length)) result.Add(bytes[value]);
            else if (!afterUnknown) result.Add(id);
            afterUnknown = id == unknown;
        }
    }

    private IEnumerable<(string Part, int Id)> AtAddedTokens(string text)
    {
        var start = 0;
        for (var at = 0; at < text.Length && added.Length > 0; at++)
        {
            var found = Array.FindIndex(added, token => string.CompareOrdinal(text, at, token, 0, token.Length) == 0);
            if (found < 0) continue;
            if (at > start) yield return (text[start..at], -1);
            yield return ("", found);
            start = at + added[found].Length;
            at = start - 1;
        }
        if (start < text.Length) yield return (text[start..], -1);
    }

    private long? Control(string piece)
    {
        for (var id = 0; id < model.Pieces.Count; id++)
            if (model.Pieces[id].Kind == PieceKind.Control && model.Pieces[id].Text == piece) return id;
        return null;
    }

    private void FindBytes(string name)
    {
        Array.Fill(bytes, -1);
        for (var id = 0; id < model.Pieces.Count; id++)
            if (model.Pieces[id].Kind == PieceKind.Byte) bytes[ByteOf(model.Pieces[id].Text)] = id;
        if (Array.IndexOf(bytes, -1) is >= 0 and var missing)
            throw new InvalidDataException($"{name} writes the unknown in bytes and lacks the piece <0x{missing:X2}>.");
    }

    private static byte ByteOf(string piece) =>
        piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal)
            && byte.TryParse(piece.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value)
            ? value : throw new InvalidDataException($"The byte piece '{piece}' is not written like <0x0A>.");
}

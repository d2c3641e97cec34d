using System.Globalization;
using System.Text;
using ResearchKit.Data.SentencePieces;

namespace ResearchKit.Data;

/// <summary>
/// SentencePiece tokenizer with a vocabulary of unigrams (T5), byte pairs (Llama), words or characters, which treats the
/// space as a character.
/// </summary>
/// <remarks>
/// Kudo and Richardson, 2018, https://arxiv.org/abs/1808.06226. Implemented here because SentencePieceTokenizer
/// of Microsoft.ML.Tokenizers 2.0.1 cannot be used: with unigram models it fails unless &lt;unk&gt;, &lt;s&gt;
/// and &lt;/s&gt; have the ids 0, 1 and 2, which they do not in T5 (IndexOutOfRangeException), and its ids for
/// byte fallback differ; with byte-pair models it merges runs of spaces in another order.
/// </remarks>
public sealed class SentencePieceTokenizer : ITokenizer
{
    private const string Space = "\u2581";

    private readonly PieceModel model;
    private readonly PieceNormalizer normalizer;
    private readonly Func<byte[], List<(int Start, int Length, int Id)>> cut;
    private readonly AddedTokens added;
    private readonly string?[] tokens;
    private readonly int unknown;
    private readonly int[] bytes = new int[256];

    private SentencePieceTokenizer(PieceModel model, IReadOnlyList<string> added, string name, TokenizerSettings settings)
    {
        this.model = model;
        unknown = model.Pieces.ToList().FindIndex(piece => piece.Kind == PieceKind.Unknown);
        if (unknown < 0)
            throw new InvalidDataException($"{name} has no unknown piece among its {model.Pieces.Count} pieces.");
        if (model.ByteFallback) FindBytes(name);
        var table = new PieceTable(model.Pieces.Select((piece, id) => (piece, id))
            .Where(entry => entry.piece.Kind is PieceKind.Normal or PieceKind.UserDefined or PieceKind.Unused)
                .Select(entry => (entry.piece.Text, entry.id)));
        normalizer = new PieceNormalizer(model, name);
        cut = model.Type switch
        {
            PieceModelType.Unigram => new UnigramPieces(model.Pieces, table, unknown).Cut,
            PieceModelType.BytePairs => new BytePairPieces(model.Pieces, table, normalizer, unknown).Cut,
            _ => new WholePieces(table, normalizer, unknown, model.Type == PieceModelType.Words).Cut,
        };
        var ids = new TokenVocabulary(model.Pieces.Select((piece, id) => (piece.Text, id)).Reverse(), name);
        var found = settings.Complete(added.Select((token, at) => new AddedToken(token, model.Pieces.Count + at)), token =>
            ids.Find(token),
            model.Pieces.Count + added.Count);
        this.added = new AddedTokens(found);
        tokens = new string?[Math.Max(model.Pieces.Count, found.Select(token => token.Id + 1).DefaultIfEmpty().Max())];
        for (var id = 0; id < model.Pieces.Count; id++) tokens[id] = model.Pieces[id].Text;
        foreach (var token in found) tokens[token.Id] = token.Content;
        Special = new SpecialTokens
        {
            Unknown = unknown,
            Padding = Control(model.PaddingPiece) ?? this.added.Find("<pad>")?.Id ?? this.added.Find("[PAD]")?.Id,
            Beginning = Control(model.BeginningPiece),
            End = Control(model.EndPiece)
        };
    }

    /// <inheritdoc/>
    public int VocabularySize => tokens.Length;

    /// <inheritdoc/>
    public SpecialTokens Special { get; }

    /// <param name="bytes">Content of a <c>.model</c> file: <c>spiece.model</c> or <c>tokenizer.model</c>.</param>
    /// <param name="added">
    /// Additional tokens after the pieces of the file; they are recognized only where they occur literally in a
    /// text. T5 has &lt;extra_id_99&gt; to &lt;extra_id_0&gt;.
    /// </param>
    /// <param name="name">Name of the file, for error messages.</param>
    /// <exception cref="InvalidDataException">
    /// The file is malformed or has another type of model; the message says what and where.
    /// </exception>
    public static SentencePieceTokenizer Parse(ReadOnlySpan<byte> bytes, IReadOnlyList<string>? added = null,
        string name = "the model") =>
        Parse(bytes, added, name, TokenizerSettings.None);

    internal static SentencePieceTokenizer Parse(ReadOnlySpan<byte> bytes, IReadOnlyList<string>? added, string name,
        TokenizerSettings settings) => new(PieceModel.Parse(bytes, name), added ?? [], name, settings);

    /// <summary>
    /// The hundred sentinel tokens of T5, in the order of their ids; each stands for a span that the model has to
    /// fill in.
    /// </summary>
    public static IReadOnlyList<string> T5Sentinels { get; } =
        [.. Enumerable.Range(0, 100).Reverse().Select(number => $"<extra_id_{number}>")];

    /// <summary>
    /// Writes a <c>.model</c> file that SentencePiece can read, without the added tokens, which the format does not
    /// contain.
    /// </summary>
    public void Save(string path) => File.WriteAllBytes(path, PieceModelWriter.Write(model, Special));

    internal static SentencePieceTokenizer From(PieceModel model, string name, IReadOnlyList<string>? added = null) =>
        new(model, added ?? [], name, TokenizerSettings.None);

    /// <summary>The pieces and settings of the model file.</summary>
    internal PieceModel Model => model;

    /// <inheritdoc/>
    /// <remarks>
    /// No beginning or end token is added; <see cref="Special"/> has their ids. Added tokens in the text are
    /// recognized.
    /// </remarks>
    public long[] Encode(string text)
    {
        var result = new List<long>();
        foreach (var (part, token) in added.Split(text))
            if (token is not null) result.Add(token.Id);
            else AddPieces(result, part.Source);
        return [.. result];
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(IReadOnlyList<long> tokens)
    {
        var text = new StringBuilder();
        var pending = new List<byte>();
        var seenSpace = false;
        foreach (var token in tokens)
        {
            var id = VocabularyIds.Checked(token, VocabularySize);
            var known = id < model.Pieces.Count;
            if (known && model.Pieces[id].Kind == PieceKind.Byte)
            {
                pending.Add(ByteOf(model.Pieces[id].Text));
                continue;
            }
            Flush();
            if (!known) text.Append(Token(id));
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
    public string Token(long id) => tokens[VocabularyIds.Checked(id, tokens.Length)]
        ?? throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has no token {id}.");

    private void AddPieces(List<long> result, string text)
    {
        var normal = normalizer.Normalize(text);
        var afterUnknown = false;
        foreach (var (start, length, id) in cut(normal))
        {
            if (id != unknown) result.Add(id);
            else if (model.ByteFallback)
                foreach (var value in normal.AsSpan(start, length)) result.Add(bytes[value]);
            else if (!afterUnknown) result.Add(id);
            afterUnknown = id == unknown;
        }
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
            throw new InvalidDataException($"{name} uses byte fallback but lacks the piece <0x{missing:X2}>.");
    }

    private static byte ByteOf(string piece) =>
        piece.Length == 6 && piece.StartsWith("<0x", StringComparison.Ordinal)
            && byte.TryParse(piece.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var value)
            ? value : throw new InvalidDataException($"The byte piece '{piece}' is malformed; expected the form <0x0A>.");
}

using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;

namespace ResearchKit.Tasks;

/// <summary>A text that was made from another one.</summary>
/// <param name="Source">The text that was read.</param>
/// <param name="Text">The text that was written.</param>
public sealed record TransformedText(string Source, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>Makes texts from texts with a T5: translations, summaries, and what else the model was trained for.</summary>
/// <param name="model">The model.</param>
/// <param name="tokenizer">Its tokenizer; its end token stands after each source and ends each text.</param>
public sealed class TextToText(T5 model, ITokenizer tokenizer)
{
    /// <summary>Text before each source, which tells the model what to do.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>How tokens are chosen; greedy by default. The tokenizer's end token always ends a text.</summary>
    public SamplingOptions Options { get; init; } = SamplingOptions.Greedy;

    /// <summary>
    /// Number of hypotheses of a beam search; 1 for none. A beam search ignores <see cref="Options"/> but the length.
    /// </summary>
    public int Beams { get; init; } = 1;

    /// <summary>Number of texts that are processed at once.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Loads a published T5 with its tokenizer and its <c>generation_config.json</c>.</summary>
    /// <param name="folder">A folder in the layout of transformers. Nothing is downloaded.</param>
    /// <param name="prefix">Text before each source.</param>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/exception"/>
    public static TextToText FromPretrained(string folder, string prefix = "") =>
        new(T5.FromPretrained(folder), PretrainedTokenizers.FromFolder(folder))
        {
            Prefix = prefix,
            Options = SamplingOptions.FromPretrained(folder),
        };

    /// <summary>Loads a published T5 that translates; languages are called by their English names.</summary>
    /// <param name="folder">A folder in the layout of transformers.</param>
    /// <param name="from">Language of the sources, such as <c>English</c>.</param>
    /// <param name="to">Language of the translations, such as <c>German</c>.</param>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/exception"/>
    public static TextToText Translation(string folder, string from, string to) =>
        FromPretrained(folder, $"translate {from} to {to}: ");

    /// <summary>Loads a published T5 that summarizes.</summary>
    /// <param name="folder">A folder in the layout of transformers.</param>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/exception"/>
    public static TextToText Summarization(string folder) => FromPretrained(folder, "summarize: ");

    /// <summary>Makes a text from each source.</summary>
    /// <param name="sources">The texts to read.</param>
    /// <returns>One for each source, in their order.</returns>
    /// <exception cref="ArgumentException">A source has no token, or the options are out of range.</exception>
    public IReadOnlyList<TransformedText> Write(params IReadOnlyList<string> sources) => Write(sources, default);

    /// <inheritdoc cref="Write(IReadOnlyList{string})"/>
    /// <param name="sources">The texts to read.</param>
    /// <param name="cancellation">Cancels between two tokens.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<TransformedText> Write(IReadOnlyList<string> sources, CancellationToken cancellation)
    {
        var written = new List<TransformedText>();
        foreach (var part in sources.Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            written.AddRange(Beams == 1 ? Batch(part, cancellation) : part.Select(Search));
        }
        return written;
    }

    private IEnumerable<TransformedText> Batch(string[] sources, CancellationToken cancellation)
    {
        var options = tokenizer.Special.End is { } end && !Options.StopTokens.Contains(end)
            ? Options with { StopTokens = [.. Options.StopTokens, end] } : Options;
        var rows = sources.Select(source => new TextRow(source, [], tokenizer, options)).ToList();
        model.GenerateBatch([.. sources.Select(Tokens)], rows[0].ForTokens(), (row, token) => rows[row].Add(token), cancellation);
        return sources.Zip(rows, (source, row) => new TransformedText(source, row.Finish().Text));
    }

    private TransformedText Search(string source)
    {
        var end = tokenizer.Special.End;
        var best = model.SearchBeams(Tokens(source),
            new BeamOptions { Beams = Beams, MaximumTokens = Options.MaximumTokens, StopToken = end })[0];
        return new TransformedText(source, tokenizer.Decode([.. best.Tokens.Where(token => token != end)]));
    }

    private IReadOnlyList<long> Tokens(string source)
    {
        var tokens = tokenizer.Encode(Prefix + source);
        return tokenizer.Special.End is { } end ? [.. tokens, end] : tokens;
    }
}

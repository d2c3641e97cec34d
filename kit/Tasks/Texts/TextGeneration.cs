using System.Runtime.CompilerServices;
using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;

namespace ResearchKit.Tasks;

/// <summary>Continues texts with a language model: texts in, texts out.</summary>
/// <param name="model">The language model.</param>
/// <param name="tokenizer">Its tokenizer.</param>
public sealed class TextGeneration(ILanguageModel model, ITokenizer tokenizer)
{
    /// <summary>How tokens are chosen unless a call says otherwise; stop strings included.</summary>
    public SamplingOptions Options { get; init; } = new();

    /// <summary>
    /// Whether the tokenizer's beginning-of-text token stands before every prompt, as Llama expects it. An empty prompt
    /// always begins with it, or with the end-of-text token.
    /// </summary>
    public bool AddsBeginning { get; init; }

    /// <summary>Loads a published GPT-2 or Llama with its tokenizer and its <c>generation_config.json</c>.</summary>
    /// <param name="folder">A folder in the layout of transformers. Nothing is downloaded.</param>
    /// <exception cref="FileNotFoundException">The folder lacks the configuration, the weights or the tokenizer.</exception>
    /// <exception cref="InvalidDataException">A file is damaged, or the folder has another kind of model.</exception>
    public static TextGeneration FromPretrained(string folder)
    {
        var config = ConfigFile.Read(folder);
        var type = config.Text("model_type", "");
        if (type is not ("gpt2" or "llama")) throw config.Bad("model_type", "gpt2 or llama");
        var tokenizer = PretrainedTokenizers.FromFolder(folder);
        return new TextGeneration(type == "gpt2" ? Gpt.FromPretrained(folder) : Llama.FromPretrained(folder), tokenizer)
        {
            Options = SamplingOptions.FromPretrained(folder),
            AddsBeginning = type == "llama" && FolderSettings.Flag(folder, "add_bos_token", absent: true),
        };
    }

    /// <summary>The language model.</summary>
    public ILanguageModel Model => model;

    /// <summary>The tokenizer of the model.</summary>
    public ITokenizer Tokenizer => tokenizer;

    /// <summary>Continues a prompt.</summary>
    /// <param name="prompt">The text to continue.</param>
    /// <param name="options">How tokens are chosen; null for <see cref="Options"/>.</param>
    /// <param name="cancellation">Cancels between two tokens.</param>
    /// <returns>The new text, without the stop string or stop token that ended it.</returns>
    /// <exception cref="ArgumentException">The prompt is empty and the tokenizer has no token to begin with, or the options are
    /// out of range.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public GeneratedText Write(string prompt, SamplingOptions? options = null, CancellationToken cancellation = default)
    {
        var row = new TextRow(prompt, Tokens(prompt), tokenizer, options ?? Options);
        foreach (var token in model.Generate(row.Prompt, row.ForTokens()))
        {
            cancellation.ThrowIfCancellationRequested();
            if (row.Add(token)) break;
        }
        return row.Finish();
    }

    /// <summary>Continues several prompts in one batch; under greedy decoding each gets the text that it gets alone.</summary>
    /// <param name="prompts">The texts to continue.</param>
    /// <param name="options">How tokens are chosen; null for <see cref="Options"/>.</param>
    /// <param name="cancellation">Cancels between two tokens.</param>
    /// <returns>The new text of each prompt.</returns>
    /// <inheritdoc cref="Write(string, SamplingOptions, CancellationToken)" path="/exception"/>
    public IReadOnlyList<GeneratedText> Write(IReadOnlyList<string> prompts, SamplingOptions? options = null,
        CancellationToken cancellation = default)
    {
        if (prompts.Count == 0) return [];
        var rows = prompts.Select(prompt => new TextRow(prompt, Tokens(prompt), tokenizer, options ?? Options)).ToList();
        model.GenerateBatch([.. rows.Select(row => row.Prompt)], rows[0].ForTokens(), (row, token) => rows[row].Add(token),
            cancellation);
        return [.. rows.Select(row => row.Finish())];
    }

    /// <summary>Continues a prompt and yields each part of the text as soon as it is certain, in whole characters.</summary>
    /// <param name="prompt">The text to continue.</param>
    /// <param name="options">How tokens are chosen; null for <see cref="Options"/>.</param>
    /// <returns>Parts of the new text; together they are the text that <c>Write</c> returns.</returns>
    /// <inheritdoc cref="Write(string, SamplingOptions, CancellationToken)" path="/exception[1]"/>
    public IEnumerable<string> Stream(string prompt, SamplingOptions? options = null)
    {
        var row = new TextRow(prompt, Tokens(prompt), tokenizer, options ?? Options);
        var tokens = model.Generate(row.Prompt, row.ForTokens());
        return Parts(row, tokens);
    }

    /// <summary>
    /// Continues a prompt on another thread and yields each part of the text as soon as it is certain:
    /// <c>await foreach (var part in generation.StreamAsync("…")) Console.Write(part);</c>
    /// </summary>
    /// <param name="prompt">The text to continue.</param>
    /// <param name="options">How tokens are chosen; null for <see cref="Options"/>.</param>
    /// <param name="cancellation">Cancels between two tokens.</param>
    /// <returns>Parts of the new text, in whole characters.</returns>
    public async IAsyncEnumerable<string> StreamAsync(string prompt, SamplingOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var parts = Stream(prompt, options).GetEnumerator();
        while (await Task.Run(parts.MoveNext, cancellation).ConfigureAwait(false)) yield return parts.Current;
    }

    /// <summary>Chooses one of several answers to a prompt, by their exact log-probabilities.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="answers">The possible continuations; where a word begins, its space belongs to the answer.</param>
    /// <inheritdoc cref="TextScoring.Choose" path="/returns"/>
    public AnswerChoice Choose(string prompt, params IReadOnlyList<string> answers) =>
        new TextScoring(model, tokenizer).Choose(prompt, answers);

    private static IEnumerable<string> Parts(TextRow row, IEnumerable<GeneratedToken> tokens)
    {
        foreach (var token in tokens)
        {
            var stopped = row.Add(token);
            if (row.LastPiece.Length > 0) yield return row.LastPiece;
            if (stopped) break;
        }
        var shown = row.Length;
        if (row.Finish().Text[shown..] is { Length: > 0 } rest) yield return rest;
    }

    private long[] Tokens(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var tokens = tokenizer.Encode(prompt);
        if (!AddsBeginning && tokens.Length > 0) return tokens;
        var first = tokenizer.Special.Beginning ?? (tokens.Length == 0 ? tokenizer.Special.End : null);
        return first is { } token ? [token, .. tokens] : tokens.Length > 0 ? tokens
            : throw new ArgumentException("The prompt is empty, and the tokenizer has no beginning-of-text or end-of-text token; "
                + "expected at least one character.", nameof(prompt));
    }
}

using ResearchKit.Checkpoints;
using ResearchKit.Data;
using ResearchKit.Models;
using static TorchSharp.torch;

namespace ResearchKit.Tasks;

/// <summary>How logits become scores.</summary>
public enum ScoreFunction
{
    /// <summary>Probabilities that sum to 1: each input has one label.</summary>
    Softmax,

    /// <summary>A probability for each label: an input may have several, or none.</summary>
    Sigmoid,

    /// <summary>The numbers themselves (regression).</summary>
    None,
}

/// <summary>Classifies texts with a BERT: texts in, labels out.</summary>
/// <param name="model">The model.</param>
/// <param name="tokenizer">Its tokenizer.</param>
/// <param name="labels">Names of the labels, in the order of the logits.</param>
/// <exception cref="ArgumentException">There are not as many names as the model has labels.</exception>
public sealed class TextClassification(BertForSequenceClassification model, WordPieceTokenizer tokenizer,
    IReadOnlyList<string> labels)
{
    private readonly IReadOnlyList<string> labels = labels.Count == model.Config.Labels ? labels
        : throw new ArgumentException($"Got {labels.Count} names of labels; the model has {model.Config.Labels} labels.",
            nameof(labels));

    /// <summary>How logits become scores; by default a sigmoid for a single label, as in transformers.</summary>
    public ScoreFunction Function { get; init; } = model.Config.Labels == 1 ? ScoreFunction.Sigmoid : ScoreFunction.Softmax;

    /// <summary>Number of texts that are processed at once.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Loads a published classifier with its tokenizer and the names of its labels (<c>id2label</c>).</summary>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/param"/>
    /// <inheritdoc cref="TextGeneration.FromPretrained" path="/exception"/>
    public static TextClassification FromPretrained(string folder)
    {
        var config = ConfigFile.Read(folder);
        var model = BertForSequenceClassification.FromPretrained(folder);
        return new TextClassification(model, FolderSettings.WordPieces(folder), config.LabelNames(model.Config.Labels))
        {
            Function = config.Text("problem_type", "") switch
            {
                "multi_label_classification" => ScoreFunction.Sigmoid,
                "regression" => ScoreFunction.None,
                _ => model.Config.Labels == 1 ? ScoreFunction.Sigmoid : ScoreFunction.Softmax,
            },
        };
    }

    /// <summary>Classifies texts. A text that is too long for the model loses its end.</summary>
    /// <param name="texts">The texts.</param>
    /// <returns>One for each text, in their order.</returns>
    public IReadOnlyList<Classification> Classify(params IReadOnlyList<string> texts) => Classify(texts, default);

    /// <inheritdoc cref="Classify(IReadOnlyList{string})"/>
    /// <param name="texts">The texts.</param>
    /// <param name="cancellation">Cancels between two batches.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<string> texts, CancellationToken cancellation)
    {
        using var evaluation = new EvaluationMode(model);
        var found = new List<Classification>();
        foreach (var part in texts.Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            found.AddRange(Batch(part));
        }
        return found;
    }

    private List<Classification> Batch(string[] texts)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var device = model.parameters().First().device;
        var encoded = texts.Select(text => tokenizer.EncodeForBert(text, maximumLength: model.Config.ContextLength)).ToList();
        var (tokens, mask) = PaddedTokens.Right([.. encoded.Select(one => one.Ids)]);
        var logits = model.Logits(tokens.to(device), mask?.to(device)).to(float32).cpu();   // [batch, labels]
        var scores = Function switch
        {
            ScoreFunction.Softmax => logits.softmax(-1),
            ScoreFunction.Sigmoid => logits.sigmoid(),
            _ => logits,
        };
        return [.. texts.Select((text, row) => Classification.Of(text, labels, scores[row].data<float>().ToArray()))];
    }
}

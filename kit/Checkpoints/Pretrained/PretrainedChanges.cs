using System.IO.Enumeration;
using ResearchKit.Tensors;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>What can be changed while a published model is loaded. Patterns of names have * for anything.</summary>
/// <typeparam name="TConfig">The configuration of the model class.</typeparam>
internal sealed record PretrainedChanges<TConfig>
{
    /// <summary>Names in the model of the head's tensors, which a new head initializes.</summary>
    public IReadOnlyList<string> Head { get; init; } = [];

    /// <summary>Returns the configuration with another number of labels; null if the model has no head for labels.</summary>
    public Func<TConfig, int, TConfig>? WithLabels { get; init; }

    /// <summary>Smallest number of labels: 0 if the model can do without a head.</summary>
    public int FewestLabels { get; init; } = 1;

    /// <summary>Names in the model of the position embeddings, which another image size interpolates.</summary>
    public IReadOnlyList<string> Positions { get; init; } = [];

    /// <summary>Returns the configuration with another image size; null if the model has no fixed one.</summary>
    public Func<TConfig, int, TConfig>? WithImageSize { get; init; }

    /// <summary>Names in the model of the tensors with a row for each token.</summary>
    public IReadOnlyList<string> TokenRows { get; init; } = [];

    /// <summary>Returns the configuration with another vocabulary size; null if the model has none.</summary>
    public Func<TConfig, int, TConfig>? WithVocabularySize { get; init; }

    /// <summary>Returns the configuration that the options ask for.</summary>
    /// <exception cref="ArgumentException">A size of the options is too small.</exception>
    public TConfig Apply(TConfig config, LoadOptions options)
    {
        if (options.Labels is { } labels)
        {
            Require.AtLeast(FewestLabels, labels);
            config = WithLabels!(config, labels);
        }
        if (options.ImageSize is { } imageSize)
        {
            Require.AtLeast(1, imageSize);
            config = WithImageSize!(config, imageSize);
        }
        if (options.VocabularySize is { } vocabularySize)
        {
            Require.AtLeast(1, vocabularySize);
            config = WithVocabularySize!(config, vocabularySize);
        }
        return config;
    }

    /// <summary>Returns the rules for names; those of a head that is not wanted are ignored.</summary>
    public NameRules Rules(NameRules rules, LoadOptions options) =>
        options.Labels == 0 ? rules with { Ignored = [.. rules.Ignored, .. Head] } : rules;

    /// <summary>Returns which differences between file and model the options accept.</summary>
    public NameTolerance Tolerance(LoadOptions options) => new()
    {
        MayBeNew = name => options.Labels is not null && Fits(Head, name),
        MayBeResized = name => (options.ImageSize is not null && Fits(Positions, name))
            || (options.VocabularySize is not null && Fits(TokenRows, name)),
        IgnoreMismatched = options.IgnoreMismatched,
        Advice = names => Advice([.. names], options),
    };

    /// <summary>Fills a tensor from one of another size.</summary>
    /// <exception cref="InvalidDataException">The sizes do not fit each other.</exception>
    public void Resize(string name, Tensor from, Tensor into)
    {
        if (Fits(Positions, name)) Resizing.Positions(from, into);
        else Resizing.Rows(from, into);
    }

    private string? Advice(IReadOnlyList<string> names, LoadOptions options)
    {
        if (WithLabels is not null && options.Labels is null && names.Any(name => Fits(Head, name)))
            return "FromPretrained(folder, labels: 5) makes a new head for 5 labels"
                + (FewestLabels == 0 ? ", and labels: 0 leaves the head out." : ".");
        if (WithImageSize is not null && options.ImageSize is null && names.Any(name => Fits(Positions, name)))
            return "FromPretrained(folder, imageSize: 384) interpolates the position embeddings for images of 384 × 384.";
        return WithVocabularySize is not null && options.VocabularySize is null && names.Any(name => Fits(TokenRows, name))
            ? "FromPretrained(folder, vocabularySize: 50300) resizes the token embeddings to 50300 rows." : null;
    }

    private static bool Fits(IReadOnlyList<string> patterns, string name) =>
        patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false));
}

using System.Globalization;

namespace ResearchKit.Tasks;

/// <summary>A label and its score.</summary>
/// <param name="Label">The label.</param>
/// <param name="Score">Its probability, unless the model predicts a number.</param>
public readonly record struct LabelScore(string Label, double Score)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Label} {Score:0.0000}");
}

/// <summary>The labels of one input, best first.</summary>
/// <param name="Input">The text, or which image it is.</param>
/// <param name="Labels">All labels with their scores, best first.</param>
public sealed record Classification(string Input, IReadOnlyList<LabelScore> Labels)
{
    /// <summary>The best label.</summary>
    public string Label => Labels[0].Label;

    /// <summary>Score of the best label.</summary>
    public double Score => Labels[0].Score;

    /// <inheritdoc/>
    public override string ToString() => $"{Labels[0]}  {Input}";

    internal static Classification Of(string input, IReadOnlyList<string> labels, IReadOnlyList<float> scores) => new(input,
        [.. labels.Zip(scores, (label, score) => new LabelScore(label, score)).OrderByDescending(one => one.Score)]);
}

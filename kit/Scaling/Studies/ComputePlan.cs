using System.Globalization;
using ResearchKit.Tensors;

namespace ResearchKit.Scaling;

/// <summary>Batch and learning rate of a plan.</summary>
/// <param name="BatchTokens">Tokens of a batch.</param>
/// <param name="LearningRate">Peak learning rate of AdamW.</param>
public sealed record PlannedSettings(double BatchTokens, double LearningRate)
{
    /// <summary>
    /// The rules of DeepSeek LLM for a budget: a batch of 0.2920 C^0.3271 tokens and a rate of 0.3118 C^-0.1250.
    /// </summary>
    /// <remarks>DeepSeek-AI, 2024, https://arxiv.org/abs/2401.02954, §3.1; fitted from 1e17 to 2e19 operations.</remarks>
    /// <param name="operations">C.</param>
    public static PlannedSettings DeepSeek(double operations)
    {
        Require.Positive(operations);
        return new(0.2920 * Math.Pow(operations, 0.3271), 0.3118 * Math.Pow(operations, -0.1250));
    }

    /// <summary>The settings of a run that is known, with another batch and the rate that follows from it.</summary>
    /// <param name="batchTokens">Tokens of a batch.</param>
    public PlannedSettings WithBatch(double batchTokens) =>
        new(batchTokens, BatchRules.LearningRate(LearningRate, batchTokens, BatchTokens));
}

/// <summary>A plan for a training run: what to train with a budget, and what loss to expect.</summary>
/// <param name="Operations">C, the budget.</param>
/// <param name="Parameters">N.</param>
/// <param name="Tokens">D.</param>
/// <param name="Settings">Batch and learning rate.</param>
/// <param name="Loss">Predicted loss with its range, in nats per token.</param>
/// <param name="Minutes">How long it takes at the rate it was planned for; null if it was planned from operations.</param>
public sealed record ComputePlan(double Operations, double Parameters, double Tokens, PlannedSettings Settings, Band Loss,
    double? Minutes = null)
{
    /// <summary>Number of steps.</summary>
    public long Steps => Math.Max(1, (long)Math.Round(Tokens / Settings.BatchTokens));

    /// <summary>Plans a run for a budget in operations.</summary>
    /// <param name="operations">C.</param>
    /// <param name="bands">The law and how certain it is.</param>
    /// <param name="settings">Batch and learning rate; null for <see cref="PlannedSettings.DeepSeek"/>.</param>
    /// <param name="parameters">N, for a model of given size; null for the best one.</param>
    /// <param name="operationsPerParameterAndToken">6, or what <see cref="ModelCost"/> counts for the architecture.</param>
    public static ComputePlan FromOperations(double operations, FitBands bands, PlannedSettings? settings = null,
        double? parameters = null, double operationsPerParameterAndToken = 6)
    {
        ArgumentNullException.ThrowIfNull(bands);
        Require.Positive(operations);
        Require.Positive(operationsPerParameterAndToken);
        if (parameters is { } given) Require.Positive(given, nameof(parameters));
        var products = operations / operationsPerParameterAndToken;   // N D
        var size = parameters ?? bands.Law.Optimum(6 * products).Parameters;
        var tokens = products / size;
        return new(operations, size, tokens, settings ?? PlannedSettings.DeepSeek(operations), bands.Predict(size, tokens));
    }

    /// <summary>Plans a run for a time on a machine.</summary>
    /// <param name="minutes">The time.</param>
    /// <param name="operationsPerSecond">
    /// Operations that training does in a second: those of a run of similar size (<c>StepReport.OperationsPerSecond</c>),
    /// or a share
    /// of <c>PeakMatmulRate</c>.
    /// </param>
    /// <param name="bands">The law and how certain it is.</param>
    /// <param name="settings">Batch and learning rate; null for <see cref="PlannedSettings.DeepSeek"/>.</param>
    /// <param name="parameters">N, for a model of given size; null for the best one.</param>
    /// <param name="operationsPerParameterAndToken">6, or what <see cref="ModelCost"/> counts for the architecture.</param>
    public static ComputePlan FromMinutes(double minutes, double operationsPerSecond, FitBands bands,
        PlannedSettings? settings = null,
        double? parameters = null, double operationsPerParameterAndToken = 6)
    {
        Require.Positive(minutes);
        Require.Positive(operationsPerSecond);
        return FromOperations(minutes * 60 * operationsPerSecond, bands, settings, parameters,
            operationsPerParameterAndToken) with
        {
            Minutes = minutes,
        };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"C {Operations:0.###e0}{(Minutes is { } minutes ? $" in {minutes:0.#} minutes" : "")}: N {Parameters:0.###e0}, D {Tokens:0.###e0}, {Steps:N0} steps of {Settings.BatchTokens:N0} tokens, learning rate {Settings.LearningRate:0.###e0}, loss {Loss}");
}

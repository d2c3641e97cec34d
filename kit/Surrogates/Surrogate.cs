using System.Globalization;
using static TorchSharp.torch;

namespace ResearchKit.Surrogates;

/// <summary>How well a surrogate says what its model says.</summary>
/// <param name="Measure">What the number is: the share of rows with the same class, or R².</param>
/// <param name="Value">1 if surrogate and model agree on every row.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Floor">The same of a surrogate that always says the model's most frequent class, or its mean.</param>
public sealed record Fidelity(string Measure, double Value, int Rows, double Floor)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Measure} {Value:0.####} on {Rows:N0} rows (a constant has {Floor:0.####})");
}

/// <summary>A readable model that imitates another one, and how well it does.</summary>
/// <typeparam name="T">Kind of the readable model.</typeparam>
/// <param name="Model">The readable model.</param>
/// <param name="Training">Fidelity on the rows that it was fitted to.</param>
/// <param name="HeldOut">Fidelity on other rows: the number to report.</param>
public sealed record Surrogate<T>(T Model, Fidelity Training, Fidelity HeldOut) where T : ITabularModel
{
    /// <inheritdoc/>
    public override string ToString() => $"held-out: {HeldOut}\ntraining: {Training}\n{Model.ToText()}";
}

/// <summary>Fits readable models to the outputs of any model.</summary>
/// <remarks>
/// Craven and Shavlik, 1996. A model is a function of a table [rows, features]. If it returns several numbers for a row, they
/// are logits, and the surrogate learns the class with the largest one. A single number is imitated as it is, unless
/// <c>classes</c> says that it is a logit.
/// </remarks>
public static class Surrogate
{
    /// <summary>Fits a decision tree to the outputs of a model.</summary>
    /// <param name="model">Takes [rows, features]; returns [rows], [rows, 1] or [rows, classes].</param>
    /// <param name="x">Rows to fit to, [rows, features].</param>
    /// <param name="heldOut">Other rows, on which the fidelity is measured, [rows, features].</param>
    /// <param name="options">How the tree grows; null for depth 4.</param>
    /// <param name="classes">Whether a single output is a logit, above 0 for class 1.</param>
    /// <exception cref="ArgumentException">
    /// The tables do not fit together, the model mixes the rows of a batch, or a number is not finite.
    /// </exception>
    public static Surrogate<DecisionTree> FitTree(Func<Tensor, Tensor> model, Tensor x, Tensor heldOut,
        DecisionTreeOptions? options = null, bool classes = false) =>
        Fit(model, x, heldOut, classes, (rows, y) => DecisionTree.Fit(rows, y, options ?? new() { MaxDepth = 4 }));

    /// <summary>Fits a list of rules to the outputs of a model.</summary>
    /// <param name="model">Takes [rows, features]; returns [rows], [rows, 1] or [rows, classes].</param>
    /// <param name="x">Rows to fit to, [rows, features].</param>
    /// <param name="heldOut">Other rows, on which the fidelity is measured, [rows, features].</param>
    /// <param name="options">How the list is made; null for defaults.</param>
    /// <param name="classes">Whether a single output is a logit, above 0 for class 1.</param>
    /// <inheritdoc cref="FitTree" path="/exception"/>
    public static Surrogate<RuleList> FitRuleList(Func<Tensor, Tensor> model, Tensor x, Tensor heldOut,
        RuleListOptions? options = null, bool classes = false) =>
        Fit(model, x, heldOut, classes, (rows, y) => RuleList.Fit(rows, y, options));

    /// <summary>Fits a sum of rules and features to the outputs of a model: numbers, or two classes.</summary>
    /// <param name="model">Takes [rows, features]; returns [rows], [rows, 1] or [rows, 2].</param>
    /// <param name="x">Rows to fit to, [rows, features].</param>
    /// <param name="heldOut">Other rows, on which the fidelity is measured, [rows, features].</param>
    /// <param name="options">How the rules are made; null for defaults.</param>
    /// <param name="classes">Whether a single output is a logit, above 0 for class 1.</param>
    /// <inheritdoc cref="FitTree" path="/exception"/>
    public static Surrogate<RuleFit> FitRules(Func<Tensor, Tensor> model, Tensor x, Tensor heldOut,
        RuleFitOptions? options = null, bool classes = false) =>
        Fit(model, x, heldOut, classes, (rows, y) => RuleFit.Fit(rows, y, options));

    /// <summary>Fits a readable model of your own to the outputs of a model.</summary>
    /// <param name="model">Takes [rows, features]; returns [rows], [rows, 1] or [rows, classes].</param>
    /// <param name="x">Rows to fit to, [rows, features].</param>
    /// <param name="heldOut">Other rows, on which the fidelity is measured, [rows, features].</param>
    /// <param name="classes">Whether a single output is a logit, above 0 for class 1.</param>
    /// <param name="fit">Fits the readable model to rows and to what the model says of them.</param>
    /// <inheritdoc cref="FitTree" path="/exception"/>
    public static Surrogate<T> Fit<T>(Func<Tensor, Tensor> model, Tensor x, Tensor heldOut, bool classes,
        Func<Tensor, Tensor, T> fit) where T : ITabularModel
    {
        ArgumentNullException.ThrowIfNull(fit);
        var (rows, others) = (Examples.Rows(x), Examples.Rows(heldOut, nameof(heldOut)));
        if (rows[0].Length != others[0].Length)
            throw new ArgumentException($"x has {rows[0].Length} features and heldOut has {others[0].Length}; expected the same.",
                nameof(heldOut));
        var called = new BatchedModel(model, x);
        using var scope = NewDisposeScope();
        var fitted = fit(x, Said(called, rows, classes));
        return new Surrogate<T>(fitted, Compare(fitted, x, called, rows, classes), Compare(fitted, heldOut, called, others,
            classes));
    }

    private static Tensor Said(BatchedModel model, double[][] rows, bool classes) => classes || model.Outputs > 1
        ? tensor(Array.ConvertAll(model.Classes(rows), label => (long)label)) : tensor(model.Call(rows, 0));

    private static Fidelity Compare(ITabularModel surrogate, Tensor x, BatchedModel model, double[][] rows, bool classes)
    {
        using var scope = NewDisposeScope();
        var said = Said(model, rows, classes);
        var imitated = surrogate.Predict(x);
        if (!surrogate.IsClassifier)
            return new Fidelity("R²", Metrics.Metric.RSquared.Of(imitated, said), rows.Length, 0);
        var labels = said.data<long>().ToArray();
        var same = imitated.data<long>().ToArray().Zip(labels).Count(pair => pair.First == pair.Second);
        return new Fidelity("same class", same / (double)rows.Length, rows.Length,
            labels.GroupBy(label => label).Max(group => group.Count()) / (double)rows.Length);
    }
}

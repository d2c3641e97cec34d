using ResearchKit.Results;
using ResearchKit.Surrogates;

namespace ResearchKit.Formatting;

/// <summary>Registers how trees, rules, explanations, counterfactuals and sensitivities look.</summary>
internal static class SurrogateViews
{
    public static void RegisterAll()
    {
        Formatters.Register<DecisionTree>(TreeView.Draw, tree => Visible.Lines($"{tree}\n{tree.ToText()}"));
        Formatters.Register<RuleList>(list => Theme.Output(Rules(list)), list => Visible.Lines(list.ToString()));
        Formatters.Register<RuleFit>(fit => Theme.Output(Terms(fit)), fit => Visible.Lines(fit.ToString()));
        Formatters.Register<Surrogate<DecisionTree>>(one => Fit(one, TreeView.Fragment(one.Model)), one =>
            Visible.Lines(one.ToString()));
        Formatters.Register<Surrogate<RuleList>>(one => Fit(one, Rules(one.Model)), one => Visible.Lines(one.ToString()));
        Formatters.Register<Surrogate<RuleFit>>(one => Fit(one, Terms(one.Model)), one => Visible.Lines(one.ToString()));
        Formatters.Register<Explanation>(WaterfallView.Draw, one => Visible.Lines(one.ToString()));
        Formatters.Register<ExplanationSet>(BeeswarmView.Draw, set => Visible.Lines(set.ToString()));
        Formatters.Register<Dependence>(EffectViews.Draw, plot => Visible.Lines(plot.ToString()));
        Formatters.Register<FeatureEffect>(EffectViews.Draw, effect => Visible.Lines(effect.ToString()));
        Formatters.Register<FeatureScores>(EffectViews.Draw, scores => Visible.Lines(scores.ToString()));
        Formatters.Register<PermutationImportance>(one => EffectViews.Draw(one.Scores), one => Visible.Lines(one.ToString()));
        Formatters.Register<ReliabilityDiagram>(EffectViews.Draw, diagram => Visible.Lines(diagram.ToString()));
        Formatters.Register<ExplainableBoosting>(BoostingView.Draw, model => Visible.Lines(model.ToString()));
        Formatters.Register<ShapeFunction>(BoostingView.Draw, shape => Visible.Lines(shape.ToString()));
        Formatters.Register<PairFunction>(BoostingView.Draw, pair => Visible.Lines(pair.ToString()));
        Formatters.Register<SobolIndices>(found => Table("Sobol indices", found.ToTable(),
            $"{Numbers.Count(found.Evaluations, "evaluation")}, variance {Numbers.Short(found.Variance)}"), found =>
                Visible.Lines(found.ToString()));
        Formatters.Register<ElementaryEffects>(found => Table("elementary effects", found.ToTable(),
            Numbers.Count(found.Evaluations, "evaluation")), found => Visible.Lines(found.ToString()));
        Formatters.Register<Counterfactuals>(found => Table($"class {found.OriginalClass}, and what would change it",
            found.ToTable(),
            found.Found.Count == 0 ? "no counterfactual was found"
                : $"{Numbers.Count(found.ModelRows, "row")} asked; every one is checked on the model"),
            found => Visible.Lines(found.ToString()));
        Formatters.Register<Anchor>(Draw, anchor => Visible.Lines(anchor.ToString()));
    }

    private static Html Fit<T>(Surrogate<T> one, Html model) where T : ITabularModel => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>surrogate</b><span class="rk-num">held-out: {Visible.OneLine(one.HeldOut.ToString())}</span>
        <span class="rk-num rk-mute">training: {Visible.OneLine(one.Training.ToString())}</span></div>{model}
        """));

    private static Html Table(string title, ResultTable table, string note) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>{title}</b><span class="rk-mute">{note}</span></div>{ResultTableView.Fragment(table)}
        """));

    private static Html Rules(RuleList list) => ResultTableView.Fragment(new ResultTable(["", "if", "then", "share", "rows"],
        [.. list.Rules.Select((rule, at) => (IReadOnlyList<object?>)[at + 1, at < list.Rules.Count - 1 ? rule.Premise
            : "otherwise",
            rule.Consequence, list.IsClassifier ? rule.Output.Max() : null, rule.Samples])]));

    private static Html Terms(RuleFit fit) => Html.Of($"""
        <div class="rk-line"><b>sum of rules and features</b><span class="rk-num">intercept {Numbers.Short(fit.Intercept)}</span></div>
        {ResultTableView.Fragment(new ResultTable(["coefficient", "term", "importance"], [.. fit.Terms.Select(term =>
            (IReadOnlyList<object?>)[term.Coefficient, term.Rule is null ? term.Name : $"if {term.Name}", term.Importance])]))}
        """);

    private static Html Draw(Anchor anchor) => Theme.Output(Html.Of($"""
        <div class="rk-line"><b>anchor</b><span>{Visible.OneLine(anchor.Rule.ToString())}</span></div>
        <div class="rk-line"><span class="rk-num">precision {anchor.Precision:0.000}</span>
        <span class="rk-num rk-mute">{(anchor.IsExact ? "exact" : $"at least {Share(anchor.LowerBound)} with {Numbers.Short(100 * anchor.Confidence)} % confidence")}</span>
        <span class="rk-num">coverage {anchor.Coverage:0.000}</span>{(anchor.ReachesTarget ? Html.Empty
            : Html.Of($"<span class=\"rk-flag rk-bad\">below {Numbers.Short(anchor.Target)}</span>"))}</div>
        """));

    private static string Share(double share) => share.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture);
}

using ResearchKit.Data;

namespace ResearchKit.Tests.Data;

public sealed class TableFeaturesTests
{
    private static Table Of(string csv) => Table.FromCsv(CsvTable.Parse(csv));

    [Fact]
    public void What_is_learnt_comes_from_the_training_part_alone()
    {
        var train = Of("x,color,y\n1,red,10\n3,blue,9\nNA,red,10\n");
        var features = TableFeatures.Learn(train, "y");
        Assert.Equal(["x", "color=blue", "color=red"], features.FeatureNames);
        Assert.Equal(["9", "10"], features.ClassNames);
        using var learnt = features.Apply(train);
        Assert.Equal([-1f, 0, 1, 1, 1, 0, 0, 0, 1], learnt.Features.data<float>().ToArray());   // mean 2, deviation 1
        Assert.Equal([1L, 0, 1], learnt.Labels.data<long>().ToArray());
        using var test = features.Apply(Of("color,y,x\ngreen,9,NA\nblue,10,5\nred,,7\n"));
        Assert.Equal([0f, 0, 0, 3, 1, 0], test.Features.data<float>().ToArray());
        Assert.Equal([0L, 1], test.Labels.data<long>().ToArray());
    }

    [Fact]
    public void Missing_numbers_become_the_median_and_a_flag_where_that_is_asked()
    {
        var features = TableFeatures.Learn(Of("x,y\n1,a\n2,b\n9,a\nNA,b\n"), "y",
            new TableFeatureOptions { Standardize = false, Imputation = Imputation.Median, FlagMissing = true });
        using var inputs = features.Inputs(Of("x\nNA\n4\n"));
        Assert.Equal(["x", "x is missing"], features.FeatureNames);
        Assert.Equal([2f, 1, 4, 0], inputs.data<float>().ToArray());
    }

    [Fact]
    public void Names_and_empty_columns_are_left_out_and_said()
    {
        var rows = Enumerable.Range(0, 60).Select(i => $"person {i},{i},,{i % 2}");
        var features = TableFeatures.Learn(Of("who,x,nothing,y\n" + string.Join('\n', rows)), "y");
        Assert.Equal(["x"], features.FeatureNames);
        Assert.Equal(["who (60 distinct texts)", "nothing (no values)"], features.LeftOut);
    }

    [Fact]
    public void A_numeric_target_has_one_column()
    {
        var table = Of("x,price\n1,2.5\n2,\n3,4.5\n");
        using var set = TableFeatures.Learn(table, "price", new TableFeatureOptions { NumericTarget = true }).Apply(table);
        Assert.Equal([2.5f, 4.5f], set.Labels.data<float>().ToArray());
        Assert.Equal([2L, 1], set.Labels.shape);
        using var batch = set.Examples.Fetch([1]);
        Assert.Equal(4.5f, batch.Targets.item<float>());
        var fractions = string.Join('\n', Enumerable.Range(0, 30).Select(i => $"{i},{i}.5"));
        Assert.Contains(nameof(TableFeatureOptions.NumericTarget),
            Assert.Throws<InvalidDataException>(() => TableFeatures.Learn(Of("x,price\n" + fractions), "price")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_label_or_a_type_that_the_training_part_lacks_is_refused_by_name()
    {
        var features = TableFeatures.Learn(Of("x,y\n1,a\n2,b\n"), "y");
        Assert.Contains("label 'c'", Assert.Throws<InvalidDataException>(() => features.Apply(Of("x,y\n1,c\n"))).Message,
            StringComparison.Ordinal);
        Assert.Contains("'red'", Assert.Throws<InvalidDataException>(() => features.Apply(Of("x,y\nred,a\n"))).Message,
            StringComparison.Ordinal);
        Assert.Throws<KeyNotFoundException>(() => TableFeatures.Learn(Of("x,y\n1,a\n"), "z"));
        Assert.Contains("Infinity",
            Assert.Throws<InvalidDataException>(() => TableFeatures.Learn(Of("x,y\n1,a\nInfinity,b\n"), "y")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Splits_keep_strata_groups_and_time_apart()
    {
        var table = Of("id,kind,speaker,day\n"
            + string.Join('\n', Enumerable.Range(0, 50).Select(i =>
                $"{i},{(i % 5 == 0 ? "rare" : "often")},s{i % 7},2026-01-{(i / 5) + 1:00}")));
        var (train, test) = table.Split(0.2, seed: 3, stratify: "kind");
        Assert.Equal(2, test["kind"].Texts().Count(kind => kind == "rare"));
        Assert.Equal(table["id"].Numbers(), train["id"].Numbers().Concat(test["id"].Numbers()).Order());
        Assert.Equal(test["id"].Numbers(), table.Split(0.2, seed: 3, stratify: "kind").Test["id"].Numbers());
        Assert.NotEqual(test["id"].Numbers(), table.Split(0.2, seed: 4, stratify: "kind").Test["id"].Numbers());
        (train, test) = table.SplitByGroup("speaker", 0.3);
        Assert.Empty(train["speaker"].Texts().Intersect(test["speaker"].Texts()));
        Assert.Equal(2, test["speaker"].Texts().Distinct().Count());
        (train, test) = table.SplitByTime("day", 0.2);
        Assert.True(train["day"].Numbers().Max() < test["day"].Numbers().Min());
        Assert.Equal(10, test.RowCount);
        Assert.Throws<ArgumentException>(() => table.Split(0));
        Assert.Contains("Row 2", Assert.Throws<InvalidDataException>(() => Of("g,x\na,1\n,2\nb,3\n").SplitByGroup("g")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_own_file_becomes_a_model_in_a_few_lines()
    {
        var table = Of("x,z,kind\n" + string.Join('\n', Enumerable.Range(0, 60)
            .Select(i => $"{i},{i % 3},{(i < 30 ? "low" : "high")}")));
        var (train, test) = table.Split(0.2, stratify: "kind");
        var features = TableFeatures.Learn(train, "kind");
        using var learn = features.Apply(train);
        using var held = features.Apply(test);
        Assert.Equal(2, features.FeatureNames.Count);
        Assert.Equal((48, 12), (learn.Count, held.Count));
        Assert.InRange(learn.Features.mean().item<float>(), -1e-5f, 1e-5f);
    }
}

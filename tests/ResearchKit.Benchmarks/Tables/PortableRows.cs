namespace ResearchKit.Benchmarks.Tables;

/// <summary>
/// What a portable run costs: the same training step in a process that computes portably, and in an ordinary one.
/// </summary>
internal static class PortableRows
{
    private const string Variable = "RESEARCHKIT_PORTABLE";

    public static IEnumerable<Row> All() =>
        from one in new[] { ("GPT 10.8 M", "gpt"), ("ResNet-18", "resnet18"), ("LSTM", "lstm"), ("GRU", "gru") }
        select new Row
        {
            Name = $"{one.Item1}, a training step",
            Reference = "the same, not portable",
            Target = _ => 2,
            Prepare = () =>
            {
                var (portable, ordinary) = (Start(one.Item2, isPortable: true), Start(one.Item2, isPortable: false));
                return new Pair(portable.Round, ordinary.Round, portable, ordinary);
            },
        };

    private static ChildTimer Start(string what, bool isPortable) =>
        ChildTimer.OfThisProgram("The trainer could not be started.", start =>
            start.Environment[Variable] = isPortable ? "1" : "", TrainerSteps.Command, what);
}

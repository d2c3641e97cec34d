using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Writes and reads the parameters of a model by a list of entries.</summary>
internal static class GgufModel
{
    public static void Save(nn.Module model, string path, GgufType type, IEnumerable<GgufEntry> entries,
        IEnumerable<KeyValuePair<string, object>> tokenizer, Dictionary<string, object> values)
    {
        Packing.Refuse(model, "saved or loaded");
        LowRankAdapter.RefuseUnmerged(model, "which the file would leave out");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        GgufWriter.Write(path, [.. values, .. tokenizer], entries.Select(entry =>
        {
            var parameter = parameters[entry.Parameter];
            return (entry.Name, entry.ToFile(parameter), entry.IsQuantized(parameter) ? type : GgufType.F32);
        }));
    }

    public static T Load<T>(Func<T> make, GgufSettings file, IEnumerable<GgufEntry> entries) where T : nn.Module
    {
        var model = MetaInitialization.Make(make);
        try
        {
            file.Fill(model, [.. entries]);
            model.eval();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}

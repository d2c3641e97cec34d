using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Checkpoints;

/// <summary>Writes and reads the parameters of a model by a list of entries.</summary>
internal static class GgufModel
{
    /// <summary>Writes a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">Path of the file.</param>
    /// <param name="type">Type of the matrices.</param>
    /// <param name="entries">The tensors of the file.</param>
    /// <param name="architecture">llama.cpp's name of the architecture, which begins the names of the values.</param>
    /// <param name="sizes">Sizes of the model.</param>
    /// <param name="values">Other values of the architecture, without its name before theirs.</param>
    /// <param name="tokenizer">Values that describe the tokenizer.</param>
    public static void Save(nn.Module model, string path, GgufType type, IEnumerable<GgufEntry> entries, string architecture,
        GgufSizes sizes, IEnumerable<(string Name, object Value)> values, IEnumerable<KeyValuePair<string, object>> tokenizer)
    {
        Packing.Refuse(model, "saved or loaded");
        LowRankAdapter.RefuseUnmerged(model, "which the file would leave out");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var parameters = model.named_parameters().ToDictionary(pair => pair.name, pair => pair.parameter);
        var own = sizes.Values.Concat(values).Select(value => KeyValuePair.Create($"{architecture}.{value.Name}", value.Value));
        GgufWriter.Write(path, [new("general.architecture", architecture), .. own, .. tokenizer], entries.Select(entry =>
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

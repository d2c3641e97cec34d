using ResearchKit.Layers;
using ResearchKit.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Compression;

/// <summary>
/// A trained linear map from the student's channels to the teacher's, a submodule of the student while it lives.
/// </summary>
internal sealed class HiddenProjection : IDisposable
{
    private readonly nn.Module student;
    private readonly string name;
    private readonly Dense layer;

    /// <param name="student">The student.</param>
    /// <param name="teacher">The teacher.</param>
    /// <param name="number">Number of the projection, from 0.</param>
    /// <exception cref="ArgumentException">The width of the residual stream of a model is not known.</exception>
    public HiddenProjection(nn.Module student, nn.Module teacher, int number)
    {
        this.student = student;
        name = $"distillation_projection_{number}";
        layer = Initialization.Dense(Width(student), Width(teacher), bias: false);
        layer.to(student.parameters().First().device);
        student.register_module(name, layer);
    }

    /// <summary>The student's activation in the teacher's channels, [batch, time, channels of the teacher].</summary>
    public Tensor Of(Tensor activation) => layer.call(activation);

    public void Dispose()
    {
        student.register_module(name, null!);   // takes it out
        layer.Dispose();
    }

    /// <summary>Channels of the residual stream.</summary>
    private static int Width(nn.Module model) => model switch
    {
        Gpt gpt => gpt.Config.ModelWidth,
        Llama llama => llama.Config.ModelWidth,
        Bert bert => bert.Config.ModelWidth,
        BertForMaskedLanguageModel bert => bert.Config.ModelWidth,
        BertForSequenceClassification bert => bert.Config.ModelWidth,
        BertForTokenClassification bert => bert.Config.ModelWidth,
        T5 t5 => t5.Config.ModelWidth,
        Vit vit => vit.Config.ModelWidth,
        _ => throw new ArgumentException($"The width of the residual stream of {model.GetName()} is not known; expected Gpt, "
            + "Llama, Bert, T5 or Vit."),
    };
}

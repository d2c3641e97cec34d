using ResearchKit.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ResearchKit.Layers;

/// <summary>
/// A layer's weight, laid out once for inference: a submodule of the layer, so that it is disposed and listed with it.
/// </summary>
/// <remarks>
/// It is also what makes a packed model refuse: training, saving, moving and gradients all reach it.
/// </remarks>
internal abstract class PackedWeight : nn.Module
{
    private readonly List<Tensor> held = [];
    private readonly IDisposable memory = MallocTuning.Keep();   // each pass needs what the one before it freed

    protected PackedWeight(ScalarType dtype) : base(nameof(PackedWeight))
    {
        DType = dtype;
        RegisterComponents();   // before the tensors are there, so that they do not become buffers
    }

    /// <summary>The packed model that contains this weight.</summary>
    public WeakReference<nn.Module>? Model { get; set; }

    /// <summary>Which kernel multiplies, in words.</summary>
    public abstract string Kernel { get; }

    /// <summary>What the weight takes in memory.</summary>
    public long Bytes => held.Sum(tensor => tensor.numel() * tensor.element_size());

    /// <summary>Of the weight.</summary>
    public ScalarType DType { get; }

    public override void train(bool on = true)
    {
        if (on)
        {
            if (Model?.TryGetTarget(out var model) == true) model.eval();   // modules above have switched already
            throw Packing.Refusal("trained");
        }
        base.train(on);
    }

    public override Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null,
        string? prefix = null) => throw Packing.Refusal("saved or loaded");

    /// <summary>Refuses a packed layer's gradient.</summary>
    protected static void CheckGradient(Tensor x)
    {
        if (x.requires_grad && is_grad_enabled()) throw Packing.Refusal("differentiated");
    }

    /// <summary>Keeps a tensor until this is disposed.</summary>
    protected Tensor Hold(Tensor tensor)
    {
        held.Add(tensor.DetachFromDisposeScope());
        return tensor;
    }

    /// <summary>Keeps another tensor instead of one that it kept, which is disposed.</summary>
    protected Tensor Exchange(Tensor old, Tensor tensor)
    {
        held[held.FindIndex(one => ReferenceEquals(one, old))] = tensor.DetachFromDisposeScope();
        old.Dispose();
        return tensor;
    }

    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) =>
        throw Packing.Refusal("moved or cast");

    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) =>
        throw Packing.Refusal("moved or cast");

    protected override nn.Module _to(ScalarType dtype, bool non_blocking) => throw Packing.Refusal("moved or cast");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var tensor in held) tensor.Dispose();
            memory.Dispose();
        }
        base.Dispose(disposing);
    }
}
